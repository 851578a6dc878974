"""What people choose is done where the state allows it, and is in the history with their name."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.limbo_side.line import give_turns
from notifications.history.changes import Change, change_deliveries, lock_messages
from notifications.models import Message, State, User
from notifications.queue.choices import cancel, requeue, retry_now, settle_as_sent
from notifications.queue.claim import claim_next
from tests.factories import SuppressionFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    """The one who chooses."""
    return UserFactory(username="ann")


def move(message: Message, *states: State, before: State = State.PENDING) -> None:
    """Take all of the message's deliveries through `states`."""
    for state in states:
        ids = message.deliveries.values_list("id", flat=True)
        with transaction.atomic():
            lock_messages([message.id])
            change_deliveries([Change(id_, state, wait=600) for id_ in ids], before=[before])
        before = state


def test_a_waiting_message_is_due_at_once(ann: User) -> None:
    message = make_message()
    move(message, State.SENDING, State.PENDING)
    assert (give_turns(), claim_next()) == (0, None)
    assert retry_now([message.id], by=ann).deliveries == 1
    assert give_turns() == 1
    assert claim_next() is not None
    event = message.events.order_by("-seq")[0]
    assert (event.kind, event.data) == ("retried", {"by": "ann", "deliveries": 1})


def test_there_is_nothing_to_retry_where_nothing_waits(ann: User) -> None:
    message = make_message()
    assert retry_now([message.id], by=ann).deliveries == 0
    assert not message.events.exists()


def test_a_dead_letter_is_sent_again_as_a_new_generation_with_new_time(ann: User) -> None:
    message = make_message(expires_at=timezone.now() - timedelta(hours=1))
    move(message, State.DEAD)
    assert requeue([message.id], by=ann, reason="the server is back").deliveries == 1
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.generation, delivery.backoffs) == (State.PENDING, 2, 0)
    assert delivery.finalized_at is None
    message.refresh_from_db()
    assert message.expires_at > timezone.now() + timedelta(hours=23)
    assert give_turns() == 1
    assert claim_next() is not None
    event = message.events.order_by("-seq")[0]
    assert event.kind == "pending"
    assert event.data == {"by": "ann", "reason": "the server is back", "choice": "requeue"}


@pytest.mark.parametrize("state", [State.CANCELLED, State.SUPPRESSED])
def test_what_was_not_given_up_is_not_requeued(ann: User, state: State) -> None:
    message = make_message()
    move(message, state)
    assert requeue([message.id], by=ann, reason="").deliveries == 0
    assert message.deliveries.get().state == state


def test_only_the_dead_letters_of_a_message_are_sent_again(ann: User) -> None:
    message = make_message("a@example.org", "b@example.org")
    first, second = message.deliveries.order_by("position")
    move(message, State.SENDING)
    with transaction.atomic():
        lock_messages([message.id])
        ends = [Change(first.id, State.SENT), Change(second.id, State.REJECTED)]
        change_deliveries(ends, before=[State.SENDING])
    assert requeue([message.id], by=ann, reason="typo mended").deliveries == 1
    states = message.deliveries.order_by("position").values_list("state", flat=True)
    assert list(states) == [State.SENT, State.PENDING]


def test_a_waiting_message_is_cancelled_and_never_due_again(ann: User) -> None:
    message = make_message()
    assert cancel([message.id], by=ann).deliveries == 1
    message.refresh_from_db()
    assert (message.state, message.due_at) == (State.CANCELLED, None)
    assert message.events.get().data == {"by": "ann"}


def test_what_is_on_its_way_cannot_be_cancelled(ann: User) -> None:
    message = make_message()
    move(message, State.SENDING)
    assert cancel([message.id], by=ann).deliveries == 0
    message.refresh_from_db()
    assert message.state == State.SENDING


def test_whose_address_was_suppressed_meanwhile_is_not_sent_to_again(ann: User) -> None:
    message = make_message("a@example.org", "B@example.org")
    move(message, State.DEAD)
    SuppressionFactory(owner=message.owner, address="b@example.org")
    result = requeue([message.id], by=ann, reason="mended")
    assert (result.deliveries, dict(result.suppressed)) == (1, {message.id: 1})
    rows = message.deliveries.order_by("position").values_list("state", "generation")
    assert list(rows) == [(State.PENDING, 2), (State.SUPPRESSED, 2)]
    kinds = message.events.order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["dead", "dead", "pending", "pending", "suppressed"]


def test_anothers_suppression_stops_nothing(ann: User) -> None:
    message = make_message("a@example.org")
    move(message, State.DEAD)
    SuppressionFactory(address="a@example.org")
    assert requeue([message.id], by=ann, reason="mended").deliveries == 1
    assert message.deliveries.get().state == State.PENDING


def test_whose_address_was_suppressed_meanwhile_is_not_retried(ann: User) -> None:
    message = make_message("a@example.org", "b@example.org")
    move(message, State.SENDING, State.PENDING)
    SuppressionFactory(owner=message.owner, address="b@example.org", reason="complained")
    result = retry_now([message.id], by=ann)
    assert (result.deliveries, dict(result.suppressed)) == (1, {message.id: 1})
    states = message.deliveries.order_by("position").values_list("state", flat=True)
    assert list(states) == [State.PENDING, State.SUPPRESSED]
    told = message.events.get(kind="suppressed").data
    assert told == {"reason": "complained"}


def test_a_requeue_without_a_provider_forgets_that_of_the_one_before(ann: User) -> None:
    message = make_message()
    move(message, State.DEAD)
    requeue([message.id], by=ann, reason="mended", through="second")
    assert message.deliveries.get().through == "second"
    assert message.events.latest("seq").data["through"] == "second"
    move(message, State.DEAD)
    requeue([message.id], by=ann, reason="mended again")
    assert message.deliveries.get().through == ""
    assert "through" not in message.events.latest("seq").data


def test_what_is_in_doubt_counts_as_sent_once_somebody_says_so(ann: User) -> None:
    message = make_message("a@example.org", "b@example.org")
    first = message.deliveries.order_by("position")[0]
    move(message, State.SENDING)
    with transaction.atomic():
        lock_messages([message.id])
        change_deliveries([Change(first.id, State.UNCERTAIN)], before=[State.SENDING])
    assert settle_as_sent([message.id], by=ann, reason="it arrived").deliveries == 1
    states = message.deliveries.order_by("position").values_list("state", flat=True)
    assert list(states) == [State.SENT, State.SENDING]
    told = message.events.latest("seq").data
    assert told == {"by": "ann", "reason": "it arrived", "choice": "settle"}


def test_many_messages_take_as_many_statements_as_one(ann: User) -> None:
    counts = []
    for number in (1, 30):
        messages = [make_message() for _ in range(number)]
        for message in messages:
            move(message, State.DEAD)
            SuppressionFactory(owner=message.owner, address="reader@example.org")
        with CaptureQueriesContext(connection) as queries:
            requeue([message.id for message in messages], by=ann, reason="mended")
        counts.append(len(queries))
    assert counts[0] == counts[1]
