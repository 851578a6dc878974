"""Deliveries change in one statement, and the message and its history with them."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from notifications.history.changes import Change, add_event, change_deliveries, lock_messages
from notifications.models import Delivery, Event, Message, State
from notifications.models.lease import Lease
from notifications.queue.claim import claim_next
from tests.conftest import wait_until
from tests.factories import make_message

pytestmark = pytest.mark.django_db


def move(message: Message, state: State, *, before: State, only: int | None = None) -> int:
    """Move the message's deliveries (or one, by its place) on; returns how many moved."""
    deliveries = list(message.deliveries.order_by("position"))
    if only is not None:
        deliveries = [deliveries[only]]
    with transaction.atomic():
        lock_messages([message.id])
        changes = [Change(delivery.id, state) for delivery in deliveries]
        return len(change_deliveries(changes, before=[before]))


def test_each_change_has_its_event_numbered_without_gaps() -> None:
    message = make_message("a@example.org", "b@example.org")
    move(message, State.SENDING, before=State.PENDING)
    move(message, State.SENT, before=State.SENDING)
    events = Event.objects.filter(message=message).order_by("seq")
    assert [(event.seq, event.kind) for event in events] == [
        (1, "sending"),
        (2, "sending"),
        (3, "sent"),
        (4, "sent"),
    ]
    message.refresh_from_db()
    assert message.seq == 4


def test_locking_tells_which_messages_carry_the_lease() -> None:
    ours, others = make_message(), make_message()
    claim = claim_next(limit=1)
    assert claim is not None
    with transaction.atomic():
        both = [ours.id, others.id]
        assert lock_messages(both) == [str(ours.id), str(others.id)]
        assert lock_messages(both, lease=Lease(claim.token)) == claim.message_ids
        assert lock_messages(both, lease=Lease(uuid4())) == []


def test_only_deliveries_that_stand_where_the_step_begins_are_moved() -> None:
    message = make_message("a@example.org", "b@example.org")
    assert move(message, State.CANCELLED, before=State.PENDING, only=0) == 1
    assert move(message, State.SENDING, before=State.PENDING) == 1
    states = message.deliveries.order_by("position").values_list("state", flat=True)
    assert list(states) == ["cancelled", "sending"]


def test_the_message_shows_the_state_that_needs_most_attention() -> None:
    message = make_message("a@example.org", "b@example.org")
    move(message, State.SENDING, before=State.PENDING, only=0)
    message.refresh_from_db()
    assert message.state == State.SENDING
    move(message, State.SENT, before=State.SENDING, only=0)
    message.refresh_from_db()
    assert message.state == State.PENDING
    move(message, State.FAILED, before=State.PENDING, only=1)
    message.refresh_from_db()
    assert message.state == State.FAILED


def test_a_message_is_due_when_its_earliest_delivery_is() -> None:
    message = make_message("a@example.org", "b@example.org")
    move(message, State.SENDING, before=State.PENDING)
    message.refresh_from_db()
    assert message.due_at is None
    first, second = message.deliveries.order_by("position")
    with transaction.atomic():
        lock_messages([message.id])
        waits = [
            Change(first.id, State.PENDING, wait=600),
            Change(second.id, State.PENDING, wait=60),
        ]
        change_deliveries(waits, before=[State.SENDING])
    message.refresh_from_db()
    second.refresh_from_db()
    assert message.due_at == second.due_at


@pytest.mark.parametrize(("wait", "keeps_its_turn"), [(0, True), (60, False)])
def test_a_message_has_a_turn_only_while_it_is_due(wait: float, keeps_its_turn: bool) -> None:
    message = make_message("a@example.org", "b@example.org", turn=7)
    move(message, State.SENDING, before=State.PENDING, only=0)
    message.refresh_from_db()
    assert message.turn == 7
    move(message, State.SENT, before=State.SENDING, only=0)
    with transaction.atomic():
        lock_messages([message.id])
        last = message.deliveries.get(position=1)
        change_deliveries([Change(last.id, State.PENDING, wait=wait)], before=[State.PENDING])
    message.refresh_from_db()
    assert message.turn == (7 if keeps_its_turn else None)


def test_a_message_that_is_settled_has_no_turn() -> None:
    message = make_message(turn=7)
    move(message, State.CANCELLED, before=State.PENDING)
    message.refresh_from_db()
    assert (message.due_at, message.turn) == (None, None)


def test_a_delivery_never_waits_past_the_deadline_of_its_message() -> None:
    message = make_message(expires_at=timezone.now() + timedelta(minutes=1))
    delivery = message.deliveries.get()
    move(message, State.SENDING, before=State.PENDING)
    with transaction.atomic():
        lock_messages([message.id])
        change_deliveries([Change(delivery.id, State.PENDING, wait=3600)], before=[State.SENDING])
    delivery.refresh_from_db()
    assert delivery.due_at == message.expires_at


def test_a_step_for_another_generation_changes_nothing() -> None:
    message = make_message()
    delivery = message.deliveries.get()
    with transaction.atomic():
        lock_messages([message.id])
        change = Change(delivery.id, State.SENDING, generation=2)
        assert change_deliveries([change], before=[State.PENDING]) == []


def test_an_impossible_step_is_refused_and_leaves_no_event() -> None:
    message = make_message()
    with pytest.raises(IntegrityError, match="cannot go from pending"):
        move(message, State.DELIVERED, before=State.PENDING)
    assert not Event.objects.filter(message=message).exists()


def test_an_event_that_changes_nothing_is_numbered_with_the_others() -> None:
    message = make_message()
    move(message, State.SENDING, before=State.PENDING)
    add_event(message_id=message.id, kind="retried", data={"by": "ann"})
    event = Event.objects.get(message=message, seq=2)
    assert (event.kind, event.data, event.delivery_id) == ("retried", {"by": "ann"}, None)


@pytest.mark.django_db(transaction=True)
def test_two_transactions_that_settle_one_message_leave_its_true_state() -> None:
    """The second waits for the first; without the locks it would derive from the old row."""
    message = make_message("a@example.org", "b@example.org")
    move(message, State.SENDING, before=State.PENDING)

    def settle_second() -> None:
        try:
            move(message, State.SENT, before=State.SENDING, only=1)
        finally:
            connection.close()

    other = threading.Thread(target=settle_second)
    with transaction.atomic():
        move(message, State.SENT, before=State.SENDING, only=0)
        other.start()
        wait_until(_waiting_locks)
    other.join(timeout=10)
    message.refresh_from_db()
    assert message.state == State.SENT
    assert message.seq == 4


def _waiting_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("recipients", [1, 30])
def test_the_number_of_statements_does_not_depend_on_the_number_of_deliveries(
    recipients: int, django_assert_num_queries: Callable[..., object]
) -> None:
    message = make_message(*(f"r{n}@example.org" for n in range(recipients)))
    ids = list(Delivery.objects.filter(message=message).values_list("id", flat=True))
    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        lock_messages([message.id])
        change_deliveries([Change(id_, State.SENDING) for id_ in ids], before=[State.PENDING])
