"""Signing in and out."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertRedirects

from notifications.models import User
from tests.stories import accepted


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password="correct horse")


def test_signing_in_leads_to_the_messages(client: Client, ada: User) -> None:
    answer = client.post("/sign-in/", {"username": "ada", "password": "correct horse"})
    assertRedirects(answer, "/messages/")


def test_a_wrong_password_is_told_and_signs_nobody_in(client: Client, ada: User) -> None:
    answer = client.post("/sign-in/", {"username": "ada", "password": "wrong"})
    assertContains(answer, 'role="alert"')
    assert "_auth_user_id" not in client.session


def test_one_is_led_on_to_where_one_wanted_to_go(client: Client, ada: User) -> None:
    page = f"/messages/{accepted(ada, 'bob@example.org').id}/"
    assertRedirects(client.get(page), f"/sign-in/?next={page}")
    form = {"username": "ada", "password": "correct horse", "next": page}
    assertRedirects(client.post("/sign-in/", form), page)


def test_one_is_never_led_to_another_site(client: Client, ada: User) -> None:
    form = {"username": "ada", "password": "correct horse", "next": "https://evil.example/"}
    assertRedirects(client.post("/sign-in/", form), "/messages/")


def test_who_is_signed_in_need_not_sign_in_again(signed_in: Client) -> None:
    assertRedirects(signed_in.get("/sign-in/"), "/messages/")


def test_signing_out_takes_a_post(signed_in: Client) -> None:
    assert signed_in.get("/sign-out/").status_code == 405
    assert "_auth_user_id" in signed_in.session
    assertRedirects(signed_in.post("/sign-out/"), "/sign-in/")
    assert "_auth_user_id" not in signed_in.session


def test_a_form_from_elsewhere_is_refused_with_a_page_that_helps(ada: User) -> None:
    strict_client = Client(enforce_csrf_checks=True)
    answer = strict_client.post("/sign-in/", {"username": "ada", "password": "correct horse"})
    assertContains(answer, "This form was open for too long", status_code=403)


def test_an_inactive_account_cannot_sign_in(client: Client, ada: User) -> None:
    User.objects.update(is_active=False)
    client.post("/sign-in/", {"username": "ada", "password": "correct horse"})
    assert "_auth_user_id" not in client.session


def test_only_staff_are_shown_the_way_to_the_admin(signed_in: Client, ada: User) -> None:
    admin = reverse("admin:index")
    assert admin not in signed_in.get("/messages/").content.decode()
    User.objects.filter(id=ada.id).update(is_staff=True)
    assertContains(signed_in.get("/messages/"), admin)


def test_pages_are_not_kept_by_caches(signed_in: Client) -> None:
    assert "no-store" in signed_in.get("/messages/").headers["Cache-Control"]
    assert "no-store" in Client().get("/sign-in/").headers["Cache-Control"]
