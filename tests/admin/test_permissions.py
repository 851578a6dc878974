"""Who may see and do what."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ, Success
from pytest_django.asserts import assertContains, assertRedirects

from notifications.models import (
    Attempt,
    Content,
    Delivery,
    Event,
    Handoff,
    Message,
    RequestLog,
    User,
)
from tests.admin.conftest import LIST, make_staff, signed_in
from tests.factories import RequestLogFactory
from tests.stories import accepted

_CRUMB = r'<a href="([^"]*)"\s+class="align-middle[^>]*>\s*(.*?)\s*</a>'

SCREENS = sorted(
    f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    for model in admin.site._registry
)


@pytest.mark.parametrize("screen", [*SCREENS, "admin:index"])
def test_a_stranger_is_asked_to_sign_in(client: Client, db: None, screen: str) -> None:
    answer = client.get(reverse(screen))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


@pytest.mark.parametrize("screen", [*SCREENS, "admin:index"])
def test_a_user_who_is_not_staff_is_asked_to_sign_in(owner: User, screen: str) -> None:
    assert signed_in(owner).get(reverse(screen)).status_code == 302


@pytest.mark.parametrize("screen", SCREENS)
def test_staff_without_the_permission_see_no_list(db: None, screen: str) -> None:
    assert signed_in(make_staff("new")).get(reverse(screen)).status_code == 403


@pytest.mark.parametrize("screen", [*SCREENS, "admin:index"])
def test_a_superuser_sees_every_screen(superuser: Client, screen: str) -> None:
    assert superuser.get(reverse(screen)).status_code == 200


def test_staff_without_any_permission_see_an_empty_home(db: None) -> None:
    page = signed_in(make_staff("new")).get("/admin/").content.decode()
    assert "Dead letters" not in page
    assert "Find a message" not in page


def test_the_sidebar_shows_only_what_one_may_open(viewer: Client) -> None:
    page = viewer.get("/admin/").content.decode()
    assert LIST in page
    assert reverse("admin:auth_group_changelist") not in page


@pytest.mark.parametrize(
    ("screen", "name"),
    [
        ("admin_logentry", "Staff's actions"),
        ("mfa_authenticator", "Second factors"),
        ("django_q_schedule", "Schedules"),
        ("notifications_requestlog", "Requests"),
        ("notifications_message", "Messages"),
    ],
)
def test_a_list_is_called_above_as_in_the_sidebar(
    superuser: Client, screen: str, name: str
) -> None:
    url = reverse(f"admin:{screen}_changelist")
    page = unescape(superuser.get(url).content.decode())
    assert re.findall(_CRUMB, page) == [("/admin/", "Limbo"), (url, name)]


def test_a_row_is_called_above_as_it_is_spelled(superuser: Client, owner: User) -> None:
    page = reverse("admin:notifications_user_change", args=[owner.pk])
    crumbs = re.findall(_CRUMB, superuser.get(page).content.decode())
    assert [name for _, name in crumbs] == ["Limbo", "Users", "shop"]


@pytest.mark.parametrize("model", [Message, RequestLog, LogEntry])
def test_history_is_read_only_for_a_superuser_too(
    superuser: Client, owner: User, model: type[Message | RequestLog | LogEntry]
) -> None:
    message = accepted(owner, "ada@example.org")
    row = RequestLogFactory(owner=owner)
    entry = LogEntry.objects.create(
        user=User.objects.get(username="root"), action_flag=2, object_repr="it"
    )
    key = {Message: message.pk, RequestLog: row.pk, LogEntry: entry.pk}[model]
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert superuser.get(reverse(f"{name}_add")).status_code == 403
    assert superuser.post(reverse(f"{name}_add"), {}).status_code == 403
    assert superuser.get(reverse(f"{name}_change", args=[key])).status_code == 200
    assert superuser.post(reverse(f"{name}_change", args=[key]), {}).status_code == 403
    assert superuser.post(reverse(f"{name}_delete", args=[key]), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=key).exists()


@pytest.mark.parametrize("model", [Attempt, Content, Delivery, Event, Handoff, OrmQ, Success])
def test_what_a_message_is_made_of_has_no_screen_of_its_own(model: type[Message]) -> None:
    assert not admin.site.is_registered(model)


def test_deleting_a_selection_is_not_offered(superuser: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    superuser.post(
        LIST, {"action": "delete_selected", "_selected_action": str(message.pk), "post": "yes"}
    )
    assert Message.objects.filter(pk=message.pk).exists()


def test_the_way_into_the_admin_is_the_one_sign_in(client: Client, db: None) -> None:
    User.objects.create_superuser("root", password="correct horse")
    answer = client.get("/admin/login/?next=/admin/auth/group/")
    assertRedirects(answer, "/sign-in/?next=%2Fadmin%2Fauth%2Fgroup%2F")
    form = {"login": "root", "password": "correct horse", "next": "/admin/auth/group/"}
    assertRedirects(client.post("/sign-in/", form), "/admin/auth/group/")


def test_the_admins_own_form_signs_nobody_in(client: Client, db: None) -> None:
    User.objects.create_superuser("root", password="correct horse")
    form = {"username": "root", "password": "correct horse", "next": "/admin/"}
    assert client.post("/admin/login/", form)["Location"].startswith("/sign-in/")
    assert "_auth_user_id" not in client.session


def test_who_is_no_staff_is_told_that_the_admin_is_not_open_to_them(owner: User) -> None:
    answer = signed_in(owner).get("/admin/", follow=True)
    assertContains(answer, "This is not open to you", status_code=403)
