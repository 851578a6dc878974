"""What a submission may say beyond addresses, subject and text, as it is stored."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.intake.errors import IdempotencyConflictError
from notifications.intake.mail_request import read_mail_request
from notifications.intake.submission import submit
from notifications.models import Event, FairShare, Message
from tests.factories import SuppressionFactory, UserFactory

pytestmark = pytest.mark.django_db

FIELDS: dict[str, Any] = {
    "from": "app@example.com",
    "to": ["ada@example.org"],
    "subject": "Hello",
    "message": "Hello.",
}
FILE = {"name": "a.txt", "type": "text/plain", "content": base64.b64encode(b"\x00a").decode()}


def stored(**options: Any) -> Message:
    """The message that a submission with these options makes."""
    request = read_mail_request({**FIELDS, **options})
    submission = submit(owner=UserFactory(), request=request)
    return Message.objects.select_related("content").get(id=submission.message_id)


def in_hours(hours: int) -> datetime:
    """A time to come, in whole seconds."""
    return (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)


def test_what_is_not_said_takes_no_room() -> None:
    message = stored()
    assert (message.reply_to, message.headers, message.tags, message.metadata) == (None,) * 4
    assert (message.send_at, message.preferred_provider, message.failover) == (None, "", True)
    assert (message.on_uncertain, message.content.html) == ("hold", "")
    assert message.content.attached_octets == message.attachments.count() == 0


def test_everything_that_is_said_is_stored() -> None:
    message = stored(
        html="<p>Hello.</p>",
        reply_to=["Help <help@example.com>", "desk@example.com"],
        headers={"X-Order": "7", "Auto-Submitted": "auto-generated"},
        tags=["welcome", "eu"],
        metadata={"order": "7", "city": "Zürich"},
        on_uncertain="resend",
    )
    assert message.content.html == "<p>Hello.</p>"
    assert message.reply_to == ["Help <help@example.com>", "desk@example.com"]
    assert message.headers == [["X-Order", "7"], ["Auto-Submitted", "auto-generated"]]
    assert message.tags == ["welcome", "eu"]
    assert message.metadata == {"order": "7", "city": "Zürich"}
    assert message.on_uncertain == "resend"


def test_files_are_stored_in_their_order() -> None:
    image = {**FILE, "name": "b.png", "type": "image/png", "content_id": "logo"}
    message = stored(attachments=[FILE, image])
    files = message.attachments.order_by("position").values_list("name", "type", "content_id")
    assert list(files) == [("a.txt", "text/plain", ""), ("b.png", "image/png", "logo")]
    assert {bytes(file.content) for file in message.attachments.all()} == {b"\x00a"}
    assert message.content.attached_octets == 4


@pytest.mark.django_db(transaction=True)
def test_files_are_stored_with_their_message_or_not_at_all() -> None:
    request = read_mail_request({**FIELDS, "attachments": [FILE]})
    with CaptureQueriesContext(connection) as queries:
        submit(owner=UserFactory(), request=request)
    words = [query["sql"].split()[0] for query in queries]
    assert words[-4:] == ["BEGIN", "WITH", "INSERT", "COMMIT"]


def test_a_scheduled_message_waits_for_its_time_and_takes_no_place_in_line() -> None:
    at = in_hours(30)
    message = stored(send_at=at.isoformat())
    assert (message.state, message.send_at, message.due_at) == ("scheduled", at, at)
    assert message.turn is None
    assert message.expires_at == at + timedelta(hours=24)
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.due_at, delivery.finalized_at) == ("scheduled", at, None)
    assert not FairShare.objects.exists()
    event = Event.objects.get()
    assert (event.kind, event.data) == ("accepted", {"send_at": at.isoformat()})


def test_a_suppressed_recipient_of_a_scheduled_message_is_settled_at_once() -> None:
    owner = UserFactory()
    SuppressionFactory(owner=owner, address="ada@example.org")
    fields = {**FIELDS, "cc": ["bob@example.org"], "send_at": in_hours(1).isoformat()}
    submit(owner=owner, request=read_mail_request(fields))
    states = Message.objects.get().deliveries.order_by("kind").values_list("state", "due_at")
    assert [(state, due is None) for state, due in states] == [
        ("scheduled", False),
        ("suppressed", True),
    ]


def test_a_deadline_of_ones_own_takes_the_place_of_a_day() -> None:
    at = in_hours(2)
    assert stored(expires_at=at.isoformat()).expires_at == at
    assert stored().expires_at > timezone.now() + timedelta(hours=23)


@pytest.mark.parametrize(
    "option",
    [
        {"html": "<p>b</p>"},
        {"reply_to": "b@example.com"},
        {"headers": {"X-A": "b"}},
        {"attachments": [{**FILE, "content": "Yg=="}]},
        {"attachments": [{**FILE, "name": "b.txt"}]},
        {"tags": ["b"]},
        {"metadata": {"a": "b"}},
        {"send_at": in_hours(3).isoformat()},
        {"expires_at": in_hours(3).isoformat()},
        {"on_uncertain": "hold"},
        {"priority": "bulk"},
    ],
)
def test_a_key_holds_for_all_that_was_said(option: dict[str, Any]) -> None:
    owner = UserFactory()
    said = {
        **FIELDS,
        "html": "<p>a</p>",
        "reply_to": "a@example.com",
        "headers": {"X-A": "a"},
        "attachments": [FILE],
        "tags": ["a"],
        "metadata": {"a": "a"},
        "send_at": in_hours(2).isoformat(),
        "expires_at": in_hours(9).isoformat(),
        "on_uncertain": "resend",
    }

    def send(fields: dict[str, Any]) -> Any:
        return submit(owner=owner, request=read_mail_request(fields), idempotency_key="k")

    assert send(said).message_id == send({**said}).message_id
    with pytest.raises(IdempotencyConflictError):
        send({**said, **option})
