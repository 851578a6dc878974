"""Signing in and out."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from axes.models import AccessAttempt
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertRedirects

from notifications.models import User
from tests.stories import accepted


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password="correct horse")


def test_signing_in_leads_to_the_messages(client: Client, ada: User) -> None:
    answer = client.post("/sign-in/", {"login": "ada", "password": "correct horse"})
    assertRedirects(answer, "/messages/")


def test_a_wrong_password_is_told_and_signs_nobody_in(client: Client, ada: User) -> None:
    answer = client.post("/sign-in/", {"login": "ada", "password": "wrong"})
    assertContains(answer, 'role="alert"')
    assert "_auth_user_id" not in client.session


def test_one_is_led_on_to_where_one_wanted_to_go(client: Client, ada: User) -> None:
    page = f"/messages/{accepted(ada, 'bob@example.org').id}/"
    assertRedirects(client.get(page), f"/sign-in/?next={page}")
    form = {"login": "ada", "password": "correct horse", "next": page}
    assertRedirects(client.post("/sign-in/", form), page)


def test_one_is_never_led_to_another_site(client: Client, ada: User) -> None:
    form = {"login": "ada", "password": "correct horse", "next": "https://evil.example/"}
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
    answer = strict_client.post("/sign-in/", {"login": "ada", "password": "correct horse"})
    assertContains(answer, "This form was open for too long", status_code=403)


def test_an_inactive_account_cannot_sign_in(client: Client, ada: User) -> None:
    User.objects.update(is_active=False)
    client.post("/sign-in/", {"login": "ada", "password": "correct horse"})
    assert "_auth_user_id" not in client.session


def test_who_is_wrong_five_times_is_locked_out_and_told_so(client: Client, ada: User) -> None:
    wrong = {"login": "ada", "password": "wrong"}
    for _ in range(4):
        assertContains(client.post("/sign-in/", wrong), "The user name or the password is wrong.")
    assertContains(client.post("/sign-in/", wrong), "Too many wrong passwords or codes.")
    right = {"login": "ada", "password": "correct horse"}
    assertContains(client.post("/sign-in/", right), "Too many wrong passwords or codes.")
    assert "_auth_user_id" not in client.session
    assertRedirects(client.post("/sign-in/", right, REMOTE_ADDR="192.0.2.7"), "/messages/")


def test_who_is_locked_out_may_come_again_after_a_quarter_of_an_hour(
    client: Client, ada: User
) -> None:
    for _ in range(5):
        client.post("/sign-in/", {"login": "ada", "password": "wrong"})
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    answer = client.post("/sign-in/", {"login": "ada", "password": "correct horse"})
    assertRedirects(answer, "/messages/")
    assert not AccessAttempt.objects.exists()


def test_behind_a_proxy_users_do_not_lock_each_other_out(
    client: Client, ada: User, settings: Any
) -> None:
    settings.LIMBO_TRUSTED_PROXIES = 1
    stranger, own = {"X-Forwarded-For": "198.51.100.9"}, {"X-Forwarded-For": "192.0.2.7"}
    for _ in range(5):
        client.post("/sign-in/", {"login": "ada", "password": "wrong"}, headers=stranger)
    # what the client itself has put before it is not believed
    forged = {"X-Forwarded-For": "192.0.2.7, 198.51.100.9"}
    right = {"login": "ada", "password": "correct horse"}
    assertContains(client.post("/sign-in/", right, headers=forged), "Too many wrong passwords")
    assertRedirects(client.post("/sign-in/", right, headers=own), "/messages/")


def test_an_operator_lets_in_whoever_is_locked_out(client: Client, ada: User) -> None:
    for _ in range(5):
        client.post("/sign-in/", {"login": "ada", "password": "wrong"})
    call_command("axes_reset_username", "ada", stdout=StringIO())
    answer = client.post("/sign-in/", {"login": "ada", "password": "correct horse"})
    assertRedirects(answer, "/messages/")


def test_wrong_passwords_are_counted_but_not_kept(client: Client, ada: User) -> None:
    client.post("/sign-in/", {"login": "correct horse", "password": "wrong battery"})
    kept = AccessAttempt.objects.get()
    assert "battery" not in kept.post_data
    assert "horse" not in kept.post_data


def test_an_address_that_guesses_at_many_names_is_stopped(client: Client, ada: User) -> None:
    for number in range(30):
        client.post("/sign-in/", {"login": f"user{number}", "password": "wrong"})
    answer = client.post("/sign-in/", {"login": "ada", "password": "correct horse"})
    assert answer.status_code == 429
    assertContains(answer, "Too many", status_code=429)


@pytest.mark.parametrize("path", ["/sign-up/", "/signup/", "/accounts/signup/"])
def test_nobody_signs_up(client: Client, db: None, path: str) -> None:
    assert client.get(path, headers={"Accept": "text/html"}).status_code == 404
    assert not get_adapter().is_open_for_signup(RequestFactory().get(path))


def test_only_staff_are_shown_the_way_to_the_admin(signed_in: Client, ada: User) -> None:
    admin = reverse("admin:index")
    assert admin not in signed_in.get("/messages/").content.decode()
    User.objects.filter(id=ada.id).update(is_staff=True)
    assertContains(signed_in.get("/messages/"), admin)


def test_pages_are_not_kept_by_caches(signed_in: Client) -> None:
    assert "no-store" in signed_in.get("/messages/").headers["Cache-Control"]
    assert "no-store" in Client().get("/sign-in/").headers["Cache-Control"]
