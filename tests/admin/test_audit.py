"""Every action of staff leaves a line that says who did what to what, and why where that is asked.

What counts as an action is read from the table of the permissions: each form that somebody may
post, and each action of a list.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.admin.choices import BY_NAME
from notifications.delivery.reading import Reading
from notifications.models import ApiToken, Message, Suppression, User, WebhookEndpoint
from notifications.webhooks.endpoints import create_endpoint
from tests.admin.permission_table import ACTIONS, NOBODY, TABLE
from tests.factories import ApiTokenFactory, ProviderFactory, SuppressionFactory, make_message
from tests.stories import answered, handed_over

pytestmark = pytest.mark.django_db

WHY = "They asked for it"
PASSWORD = {"usable_password": "true", "password1": "horse battery", "password2": "horse battery"}

Posted = tuple[models.Model | None, str, Mapping[str, Any]]
"""What it is done to (None: something new), where it is posted, and the form."""


def page(row: models.Model, page: str, **form: Any) -> Posted:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}"
    return row, reverse(name, args=[row.pk]), form


def new(model: type[models.Model], **form: Any) -> Posted:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_add"
    return None, reverse(name), form


def ticked(row: models.Model, action: str, **form: Any) -> Posted:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_changelist"
    chosen = {"action": action, "_selected_action": [str(row.pk)], "index": "0"}
    return row, reverse(name), {**chosen, "post": "yes", **form}


def message_in(reading: Reading | None) -> Message:
    message = make_message()
    if reading:
        wait = 300 if reading is Reading.TEMPORARY else 0
        answered(handed_over(message), reading, code=None, answer="", wait=wait)
    return message


def choice(action: str, reading: Reading | None) -> Posted:
    asked = {"reason": WHY} if BY_NAME[action].needs_reason else {}
    return ticked(message_in(reading), action, confirmed="1", **asked)


def user() -> User:
    return User.objects.create_user("somebody")


def user_form(**fields: Any) -> Mapping[str, Any]:
    joined = timezone.localtime()
    return {
        "username": "somebody",
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        "sending_limit-TOTAL_FORMS": "0",
        "sending_limit-INITIAL_FORMS": "0",
        **fields,
    }


def endpoint() -> WebhookEndpoint:
    made, _ = create_endpoint(owner=user(), url="https://example.com/hook", kinds=[])
    return made


def factor() -> Authenticator:
    return Authenticator.objects.create(user=user(), type="totp", data={})


def group() -> Group:
    return Group.objects.create(name="made by staff")


CASES: Mapping[str, Callable[[], Posted]] = {
    "notifications_message.retry_now": lambda: choice("retry_now", Reading.TEMPORARY),
    "notifications_message.requeue": lambda: choice("requeue", Reading.MESSAGE_REFUSED),
    "notifications_message.settle_as_sent": lambda: choice("settle_as_sent", Reading.AMBIGUOUS),
    "notifications_message.send_again": lambda: choice("send_again", Reading.AMBIGUOUS),
    "notifications_message.cancel": lambda: choice("cancel", None),
    "notifications_message_text": lambda: page(make_message(), "text"),
    "notifications_provider_choose": lambda: page(
        ProviderFactory(), "choose", choice="disable", why=WHY
    ),
    "notifications_suppression_add": lambda: new(
        Suppression, owner=user().pk, address="ada@example.org", note=WHY
    ),
    "notifications_suppression_delete": lambda: page(
        SuppressionFactory(), "delete", post="yes", why=WHY
    ),
    "notifications_suppression.delete_selected": lambda: ticked(
        SuppressionFactory(), "delete_selected", why=WHY
    ),
    "notifications_webhookendpoint_add": lambda: new(
        WebhookEndpoint, owner=user().pk, url="https://example.com/hook"
    ),
    "notifications_webhookendpoint_change": lambda: page(
        endpoint(), "change", url="https://example.com/hook", why=WHY
    ),
    "notifications_apitoken_add": lambda: new(
        ApiToken, owner=user().pk, name="production", scopes=["send"]
    ),
    "notifications_apitoken.revoke_tokens": lambda: ticked(
        ApiTokenFactory(), "revoke_tokens", why=WHY
    ),
    "notifications_user_add": lambda: new(User, username="grace", **PASSWORD),
    "notifications_user_change": lambda: page(user(), "change", **user_form()),
    "notifications_user_delete": lambda: page(user(), "delete", post="yes"),
    "notifications_user.delete_selected": lambda: ticked(user(), "delete_selected"),
    "auth_user_password_change": lambda: (
        row := user(),
        reverse("admin:auth_user_password_change", args=[row.pk]),
        PASSWORD,
    ),
    "auth_group_add": lambda: new(Group, name="auditors"),
    "auth_group_change": lambda: page(group(), "change", name="renamed"),
    "auth_group_delete": lambda: page(group(), "delete", post="yes"),
    "auth_group.delete_selected": lambda: ticked(group(), "delete_selected"),
    "mfa_authenticator_delete": lambda: page(factor(), "delete", post="yes", why=WHY),
    "mfa_authenticator.delete_selected": lambda: ticked(factor(), "delete_selected", why=WHY),
}

ELSEWHERE = {
    "notifications_bulkaction_stop",
    "notifications_bulkaction_go_on",
    "notifications_message_html",
    "notifications_user_let_in",
}
"""Tried by tests/admin/test_bulk.py, test_message_body.py and test_lock_outs.py."""

CHANGES_NOTHING = {
    "index",
    "search",
    "autocomplete",
    "view_on_site",
    "app_list",
    "jsi18n",
    "password_change_done",
    # one's own
    "password_change",
    # the frames on it are what shows the words
    "notifications_message_content",
    "notifications_bulkaction_progress",
    "notifications_provider_board",
    "notifications_provider_live",
}


def actions() -> set[str]:
    """Everything that staff can do, by the table."""
    pages = {
        name
        for name, row in TABLE.items()
        if row.post != NOBODY and not name.endswith(("_changelist", "_history"))
    }
    listed = {f"{model}.{action}" for model, offered in ACTIONS.items() for action in offered}
    return (pages | listed) - CHANGES_NOTHING


@pytest.mark.parametrize("case", CASES)
def test_what_staff_do_is_in_the_log_with_who_and_why(superuser: Client, case: str) -> None:
    row, url, form = CASES[case]()
    answer = superuser.post(url, form)
    assert answer.status_code in (200, 302)
    entries = LogEntry.objects.order_by("id")
    assert [entry.user.get_username() for entry in entries] == ["root"]
    if row is not None:
        assert entries[0].object_id == str(row.pk)
    if WHY in str(form) and not case.endswith("_add"):
        assert entries[0].get_change_message().endswith(f"Reason: {WHY}")


def test_no_action_is_forgotten_here() -> None:
    assert set(CASES) | ELSEWHERE == actions()


@pytest.mark.parametrize(
    "case",
    [
        "notifications_suppression_delete",
        "notifications_suppression.delete_selected",
        "notifications_apitoken.revoke_tokens",
        "mfa_authenticator_delete",
        "mfa_authenticator.delete_selected",
    ],
)
def test_what_cannot_be_undone_is_not_done_without_a_reason(superuser: Client, case: str) -> None:
    _, url, form = CASES[case]()
    for why in ("", "   ", "x" * 201):
        answer = superuser.post(url, {**form, "why": why})
        assert answer.status_code == 200
        assert answer.context["form"].errors
    assert not LogEntry.objects.exists()
    assert not ApiToken.objects.exclude(revoked_at=None).exists()
    left = (Suppression, ApiToken, Authenticator)
    assert sum(model.objects.count() for model in left) == 1


def test_the_entry_of_a_second_factor_says_whose_it_was(superuser: Client) -> None:
    row, url, form = CASES["mfa_authenticator_delete"]()
    assert isinstance(row, Authenticator)
    superuser.post(url, form)
    assert LogEntry.objects.get().object_repr == f"TOTP Authenticator of {row.user.get_username()}"


def test_an_endpoint_is_not_switched_without_a_reason(superuser: Client) -> None:
    made = endpoint()
    _, url, _ = page(made, "change")
    answer = superuser.post(url, {"url": made.url})
    assert "Say why it is switched." in answer.content.decode()
    made.refresh_from_db()
    assert made.enabled
    # what else is changed needs none
    assert superuser.post(url, {"url": f"{made.url}/2", "enabled": "on"}).status_code == 302
    assert "Reason" not in LogEntry.objects.get().get_change_message()


def test_power_that_is_given_is_told_from_what_to_what(superuser: Client) -> None:
    somebody, auditors = user(), group()
    _, url, _ = page(somebody, "change")
    form = user_form(is_active="on", is_staff="on", groups=[auditors.pk])
    assert superuser.post(url, form).status_code == 302
    said = LogEntry.objects.get().get_change_message()
    assert "Staff status: no → yes" in said
    assert "Groups: none → made by staff" in said
    assert "Active" not in said
