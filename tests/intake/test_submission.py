"""What `submit` stores: all of it, in one statement, or nothing."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.history.requests import RequestOrigin
from notifications.intake.mail_request import MailRequest, read_mail_request
from notifications.intake.submission import submit
from notifications.models import (
    Content,
    Delivery,
    Event,
    EventQueue,
    FairShare,
    Message,
    RequestLog,
    State,
)
from tests.factories import SuppressionFactory, UserFactory

pytestmark = pytest.mark.django_db


def request_to(*to: str, cc: tuple[str, ...] = (), bcc: tuple[str, ...] = ()) -> MailRequest:
    """A request with these recipients."""
    fields = {
        "from": "Büro <büro@bücher.example>",
        "to": list(to),
        "cc": list(cc),
        "bcc": list(bcc),
        "subject": "Grüße",
        "message": "Hello.",
    }
    return read_mail_request(fields)


def test_a_message_is_stored_with_its_content() -> None:
    owner = UserFactory()
    submission = submit(owner=owner, request=request_to("ada@example.org"))
    message = Message.objects.get()
    assert message.id == submission.message_id
    assert (message.owner, message.state, message.seq) == (owner, State.PENDING, 1)
    assert message.sender == "Büro <büro@bücher.example>"
    assert message.sender_address == "büro@bücher.example"
    assert message.subject == "Grüße"
    assert Content.objects.get().text == "Hello."
    assert (message.lease_token, message.lease_until) == (None, None)


def test_its_message_id_header_is_its_own_at_the_senders_domain() -> None:
    submission = submit(owner=UserFactory(), request=request_to("ada@example.org"))
    header = Message.objects.get().header_message_id
    assert header == f"<{submission.message_id.hex}@xn--bcher-kva.example>"


def test_it_is_due_at_once_and_expires_after_a_day() -> None:
    submit(owner=UserFactory(), request=request_to("ada@example.org"))
    message = Message.objects.get()
    assert message.due_at == message.accepted_at == Delivery.objects.get().due_at
    assert message.expires_at - message.accepted_at == timedelta(hours=24)
    assert abs(timezone.now() - message.accepted_at) < timedelta(minutes=1)


def test_its_key_is_in_order_of_time() -> None:
    owner = UserFactory()
    ids = [submit(owner=owner, request=request_to("a@b.example")).message_id for _ in range(20)]
    assert ids == sorted(ids)
    assert {key.version for key in ids} == {7}


def test_each_recipient_is_a_delivery() -> None:
    owner = UserFactory()
    request = request_to(
        "Ada <ada@example.org>", "b@example.org", cc=("c@example.org",), bcc=("d@example.org",)
    )
    submit(owner=owner, request=request)
    deliveries = Delivery.objects.order_by("-kind", "position")
    assert [(row.kind, row.position, row.address, row.name) for row in deliveries] == [
        ("to", 0, "ada@example.org", "Ada"),
        ("to", 1, "b@example.org", ""),
        ("cc", 0, "c@example.org", ""),
        ("bcc", 0, "d@example.org", ""),
    ]
    assert {(row.owner, row.state, row.generation) for row in deliveries} == {(owner, "pending", 1)}


@pytest.mark.parametrize("name", ["NULL", 'A "B" C', "A \\ B", "{a,b}", "ü, NULL"])
def test_a_name_is_stored_as_it_is_written(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    submit(owner=UserFactory(), request=request_to(f'"{quoted}" <a@example.org>', "b@example.org"))
    assert list(Delivery.objects.order_by("position").values_list("name", "address")) == [
        (name, "a@example.org"),
        ("", "b@example.org"),
    ]


def test_its_history_begins_with_accepted() -> None:
    submit(owner=UserFactory(), request=request_to("ada@example.org"))
    event = Event.objects.get()
    assert (event.seq, event.kind, event.delivery, event.applied) == (1, "accepted", None, True)
    assert event.at == Message.objects.get().accepted_at
    assert EventQueue.objects.get().event_ids == [event.id]


@pytest.mark.parametrize("spelling", ["gone@example.org", "Gone@Example.ORG"])
def test_a_suppressed_address_gets_nothing_and_the_history_says_why(spelling: str) -> None:
    owner = UserFactory()
    SuppressionFactory(owner=owner, address="gone@example.org", reason="complained")
    submit(owner=owner, request=request_to("ada@example.org", spelling))
    ada, gone = Delivery.objects.order_by("position")
    assert (ada.state, ada.finalized_at) == (State.PENDING, None)
    assert (gone.state, gone.due_at) == (State.SUPPRESSED, None)
    message = Message.objects.get()
    assert gone.finalized_at == message.accepted_at
    assert (message.state, message.seq) == (State.PENDING, 2)
    _, event = Event.objects.order_by("seq")
    assert (event.seq, event.kind, event.delivery) == (2, "suppressed", gone)
    assert event.data == {"reason": "complained"}


def test_a_message_to_suppressed_addresses_alone_is_stored_and_never_due() -> None:
    owner = UserFactory()
    for address in ("a@example.org", "b@example.org"):
        SuppressionFactory(owner=owner, address=address)
    submission = submit(owner=owner, request=request_to("a@example.org", bcc=("b@example.org",)))
    message = Message.objects.get()
    assert submission.state == message.state == State.SUPPRESSED
    assert (message.due_at, message.turn, message.seq) == (None, None, 3)
    assert not FairShare.objects.exists()
    assert [event.seq for event in Event.objects.order_by("id")] == [1, 2, 3]


def test_a_message_has_no_turn_yet_and_nothing_of_its_users_is_written() -> None:
    """Or submissions of one user would be committed one after the other."""
    submit(owner=UserFactory(), request=request_to("ada@example.org"))
    assert Message.objects.get().turn is None
    assert not FairShare.objects.exists()


def test_another_owners_suppression_is_of_no_matter() -> None:
    SuppressionFactory(address="ada@example.org")
    submit(owner=UserFactory(), request=request_to("ada@example.org"))
    assert Delivery.objects.get().state == State.PENDING


def test_the_request_is_logged_with_the_message_it_made() -> None:
    owner = UserFactory()
    origin = RequestOrigin(method="POST", path="/v1/mail", address="2001:db8::1")
    submission = submit(owner=owner, request=request_to("ada@example.org"), log=origin)
    line = RequestLog.objects.get()
    assert (line.owner, line.method, line.path, line.status) == (owner, "POST", "/v1/mail", 200)
    assert (line.address, line.message_id) == ("2001:db8::1", submission.message_id)
    assert 0 <= line.duration_ms < 10_000


def test_a_submission_that_was_no_request_is_not_logged() -> None:
    submit(owner=UserFactory(), request=request_to("ada@example.org"))
    assert not RequestLog.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("recipients", [1, 150])
def test_it_takes_one_statement_however_many_recipients(recipients: int) -> None:
    owner = UserFactory()
    fields = [
        tuple(f"reader{number}@{kind}.example" for number in range(recipients // 3 or 1))
        for kind in ("to", "cc", "bcc")
    ]
    request = request_to(*fields[0], cc=fields[1], bcc=fields[2])
    origin = RequestOrigin(method="POST", path="/v1/mail", address=None)
    with CaptureQueriesContext(connection) as queries:
        submit(owner=owner, request=request, log=origin)
    assert len(queries) == 1, [query["sql"][:60] for query in queries]
    assert Delivery.objects.count() == 3 * (recipients // 3 or 1)


@pytest.mark.django_db(transaction=True)
def test_with_a_key_it_takes_two_statements_and_their_transaction() -> None:
    owner = UserFactory()
    with CaptureQueriesContext(connection) as queries:
        submit(owner=owner, request=request_to("ada@example.org"), idempotency_key="one")
    words = [re.findall(r"\w+", query["sql"])[0] for query in queries]
    assert words == ["BEGIN", "WITH", "WITH", "COMMIT"]


@pytest.mark.django_db(transaction=True)
def test_when_any_part_cannot_be_stored_nothing_is(wakeups: list[str]) -> None:
    owner = UserFactory()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_requestlog ADD CONSTRAINT no CHECK (status < 0)")
    origin = RequestOrigin(method="POST", path="/v1/mail", address=None)
    try:
        with pytest.raises(DatabaseError):
            submit(owner=owner, request=request_to("a@b.example"), log=origin, idempotency_key="k")
        with pytest.raises(DatabaseError):
            submit(owner=owner, request=request_to("a@b.example"), log=origin)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE notifications_requestlog DROP CONSTRAINT no")
    assert not Message.objects.exists()
    assert not Event.objects.exists()
    assert not wakeups
    submit(owner=owner, request=request_to("c@d.example"), log=origin, idempotency_key="k")


@pytest.mark.django_db(transaction=True)
def test_the_workers_are_woken_when_it_is_committed(wakeups: list[str]) -> None:
    submit(owner=UserFactory(), request=request_to("ada@example.org"))
    assert wakeups == ["wake"]
