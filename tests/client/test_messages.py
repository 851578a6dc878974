"""Sending, and reading what became of it, through the client."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from limbo_client import Attachment, Limbo, Mail, NotFoundError
from notifications.models import Attachment as StoredAttachment
from notifications.models import Content, Message, User
from tests.factories import make_message

HELLO = Mail(
    sender="App <app@example.com>", to="Ada <ada@example.org>", subject="Hello", text="Hello, Ada."
)


def test_what_is_sent_is_stored_and_told_in_full(limbo: Limbo) -> None:
    submitted = limbo.send(HELLO)
    message = limbo.get(submitted.id)
    assert (submitted.state, submitted.is_replayed) == ("pending", False)
    assert (message.sender, message.subject) == ("App <app@example.com>", "Hello")
    assert [(one.kind, one.address, one.name) for one in message.deliveries] == [
        ("to", "ada@example.org", "Ada")
    ]
    assert [event.kind for event in message.events] == ["accepted"]
    assert message.accepted_at.tzinfo is not None
    assert not message.is_settled


def test_everything_that_a_mail_may_say_arrives(limbo: Limbo) -> None:
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    submitted = limbo.send(
        Mail(
            sender="app@example.com",
            to=["ada@example.org", "bob@example.org"],
            cc="carol@example.org",
            bcc=["dave@example.org"],
            subject="All of it",
            text="Hello.",
            html="<p>Hello.</p>",
            reply_to="help@example.com",
            headers={"X-Order": "42"},
            attachments=[
                Attachment("bill.pdf", b"%PDF"),
                Attachment("a.png", b"PNG", "image/png", "a"),
            ],
            tags=["bills"],
            metadata={"order": "42"},
            priority="urgent",
            send_at=in_an_hour,
            expires_at=in_an_hour + timedelta(hours=1),
            on_uncertain="resend",
            provider="first",
            failover=False,
        )
    )
    stored = Message.objects.get(id=submitted.id)
    content = Content.objects.get(message=stored)
    files = StoredAttachment.objects.filter(message=stored).order_by("position")
    assert submitted.state == "scheduled"
    assert (stored.tags, stored.metadata) == (["bills"], {"order": "42"})
    assert (stored.expires_at, stored.on_uncertain) == (in_an_hour + timedelta(hours=1), "resend")
    assert content.html == "<p>Hello.</p>"
    assert [(file.name, file.type, file.content_id) for file in files] == [
        ("bill.pdf", "application/pdf", ""),
        ("a.png", "image/png", "a"),
    ]
    assert sorted(one.address for one in limbo.get(submitted.id).deliveries) == [
        "ada@example.org",
        "bob@example.org",
        "carol@example.org",
        "dave@example.org",
    ]


def test_a_key_of_ones_own_stores_a_message_once(limbo: Limbo) -> None:
    first = limbo.send(HELLO, idempotency_key="order-42")
    again = limbo.send(HELLO, idempotency_key="order-42")
    assert (again.id, again.is_replayed) == (first.id, True)


def test_two_sends_of_the_same_mail_are_two_messages(limbo: Limbo) -> None:
    assert limbo.send(HELLO).id != limbo.send(HELLO).id


def test_a_list_goes_over_all_its_pages_newest_first(limbo: Limbo, owner: User) -> None:
    messages = [make_message(owner=owner) for _ in range(5)]
    make_message()
    listed = [message.id for message in limbo.list(page_size=2)]
    assert listed == [str(message.id) for message in reversed(messages)]


def test_a_list_is_narrowed_by_what_a_mail_says(limbo: Limbo) -> None:
    tagged = replace(HELLO, tags=["order"], metadata={"shop": "a"}, subject="Order 7")
    wanted = limbo.send(tagged).id
    limbo.send(HELLO)
    for found in (
        limbo.list(tag="order", sender="app@example.com"),
        limbo.list(metadata="shop=a"),
        limbo.list(q="order 7"),
    ):
        assert [message.id for message in found] == [wanted]
    assert list(limbo.list(provider="first")) == []


def test_a_list_can_be_narrowed(limbo: Limbo) -> None:
    wanted = limbo.send(Mail(sender="app@example.com", to="eve@example.org", subject="S", text="T"))
    limbo.send(HELLO)
    since = datetime.now(UTC) - timedelta(minutes=1)
    found = list(limbo.list(state="pending", recipient="eve@example.org", created_after=since))
    assert [message.id for message in found] == [wanted.id]
    assert list(limbo.list(created_before=since)) == []


def test_one_message_s_events_are_read_page_by_page(limbo: Limbo) -> None:
    submitted = limbo.send(HELLO)
    events = list(limbo.message_events(submitted.id, page_size=1))
    assert [(event.seq, event.kind) for event in events] == [(1, "accepted")]


@pytest.mark.parametrize("message_id", ["00000000-0000-7000-8000-000000000000", "../stats"])
def test_what_is_not_there_is_not_found(limbo: Limbo, message_id: str) -> None:
    with pytest.raises(NotFoundError):
        limbo.get(message_id)


def test_another_user_s_message_is_not_found(limbo: Limbo) -> None:
    with pytest.raises(NotFoundError):
        limbo.get(str(make_message().id))


def test_what_happened_is_counted(limbo: Limbo) -> None:
    limbo.send(HELLO)
    stats = limbo.stats(interval="hour")
    assert stats.before - stats.after == timedelta(days=1)
    assert stats.counts == {"accepted": 1} or not stats.is_complete
    assert len(stats.series) >= 1 or not stats.is_complete
