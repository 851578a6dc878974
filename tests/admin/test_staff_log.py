"""The log of staff's actions: all of them are in it, and nobody rewrites it."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from notifications.admin.staff_log import told
from notifications.models import RoleKey, Suppression, SuppressionReason, User
from tests.admin.conftest import LIST, make_member, signed_in
from tests.factories import SuppressionFactory
from tests.stories import accepted

pytestmark = pytest.mark.django_db

LOG = "/admin/admin/logentry/"


def lines(client: Client, **parameters: str) -> list[LogEntry]:
    """What the log shows, newest first."""
    rows: list[LogEntry] = client.get(LOG, parameters).context["cl"].result_list
    return rows


@pytest.fixture
def two_actors(owner: User) -> None:
    """Support reads a body and lifts a suppression; another cancels, for a reason."""
    message = accepted(owner, "ada@example.org")
    reader = signed_in(make_member(RoleKey.SUPPORT))
    reader.get(reverse("admin:notifications_message_text", args=[message.pk]))
    row = SuppressionFactory(owner=owner, reason=SuppressionReason.MANUAL)
    remove = reverse("admin:notifications_suppression_delete", args=[row.pk])
    reader.post(remove, {"post": "yes", "why": "It was mended"})
    assert not Suppression.objects.exists()
    other = signed_in(User.objects.create_superuser("root"))
    form: dict[str, Any] = {"action": "cancel", "_selected_action": [str(message.pk)]}
    other.post(LIST, {**form, "confirmed": "1", "reason": "Asked by the owner"})


def test_it_tells_who_did_what_to_what_and_why(two_actors: None, operator: Client) -> None:
    newest, second, oldest = lines(operator)
    assert [line.user.get_username() for line in (newest, second, oldest)] == [
        "root",
        "support",
        "support",
    ]
    page = operator.get(LOG).content.decode()
    assert "Read the body." in page
    assert "Cancel: 1 waiting delivery." in page
    read = operator.get(reverse("admin:admin_logentry_change", args=[oldest.pk])).content.decode()
    assert "Read the body." in read
    assert f'href="{oldest.get_admin_url()}"' in read


def test_it_is_filtered_by_who_and_by_what(two_actors: None, operator: Client) -> None:
    assert {line.user.get_username() for line in lines(operator, by="support")} == {"support"}
    assert len(lines(operator, by="support")) == 2
    assert lines(operator, by="nobody") == []
    assert [
        line.get_change_message() for line in lines(operator, kind="notifications.message")
    ] == [
        "Cancel: 1 waiting delivery. Reason: Asked by the owner",
        "Read the body.",
    ]


def test_a_reason_stands_in_a_column_of_its_own(owner: User, operator: Client) -> None:
    LogEntry.objects.create(
        user=owner, action_flag=2, object_repr="it", change_message=told("Revoked.", "<b>lost</b>")
    )
    page = operator.get(LOG).content.decode()
    assert "Revoked." in page
    assert "&lt;b&gt;lost&lt;/b&gt;" in page
    assert "<b>lost" not in page


def test_a_user_who_has_acted_is_not_removed_but_can_be_made_inactive(
    two_actors: None, superuser_again: Client
) -> None:
    actor = User.objects.get(username="support")
    delete = reverse("admin:notifications_user_delete", args=[actor.pk])
    assert superuser_again.post(delete, {"post": "yes"}).status_code == 403
    ticked = {"action": "delete_selected", "_selected_action": str(actor.pk), "post": "yes"}
    superuser_again.post("/admin/notifications/user/", ticked)
    assert User.objects.filter(pk=actor.pk).exists()
    assert LogEntry.objects.filter(user=actor).count() == 2


@pytest.fixture
def superuser_again(two_actors: None) -> Client:
    return signed_in(User.objects.get(username="root"))


def test_a_user_who_has_done_nothing_can_be_removed(superuser: Client, owner: User) -> None:
    delete = reverse("admin:notifications_user_delete", args=[owner.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=owner.pk).exists()
