"""What became of a message, told from the history that the engine writes."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.signals import post_init
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from notifications.delivery.reading import Reading
from notifications.history import timeline as module
from notifications.history.changes import add_event
from notifications.history.timeline import timeline
from notifications.models import Event, Message, Outcome, State, User
from tests.factories import DeliveryFactory, MessageFactory
from tests.stories import accepted, answered, deliveries_of, handed_over, moved

pytestmark = pytest.mark.django_db

TRACEBACK = "Traceback (most recent call last):\n  KeyError: 'x'"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def reloaded(message: Message) -> Message:
    return Message.objects.select_related("owner").get(id=message.id)


def test_a_sent_message_tells_who_took_it_and_when(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message))
    told = timeline(reloaded(message))
    assert told.headline == "Sent."
    assert told.is_settled
    assert [(line.seq, line.recipient, line.sentence) for line in told.lines] == [
        (1, "", "Limbo accepted the message"),
        (2, "bob@example.org", "Handing it to sink"),
        (3, "bob@example.org", "sink took it (250 2.0.0 OK)"),
    ]
    (delivery,) = told.deliveries
    assert delivery.summary == "sink took it (250 2.0.0 OK)"
    assert delivery.finalized_at is not None
    (attempt,) = delivery.attempts
    assert (attempt.provider, attempt.outcome, attempt.code) == ("sink", Outcome.ACCEPTED, 250)
    assert attempt.ended_at is not None


def test_staff_are_told_to_the_second_and_owners_are_not(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    planned = handed_over(message)
    answered(planned)
    told = timeline(reloaded(message), staff=True)
    at = Event.objects.get(message=message, kind=State.SENT).at
    assert told.headline == f"sink took it at {at:%H:%M:%S} UTC; not yet known to be delivered."
    assert told.deliveries[0].attempts[0].handoff_id == UUID(planned.handoff_id)
    assert timeline(reloaded(message)).headline == "Sent."


def test_a_new_message_waits_for_a_worker(ada: User) -> None:
    told = timeline(accepted(ada, "bob@example.org"))
    assert told.headline == "Waiting to be sent."
    assert not told.is_settled
    assert told.deliveries[0].summary == "Waiting for its turn"
    assert told.deliveries[0].next_step == "It will be sent as soon as a worker is free."
    assert told.deliveries[0].next_at is None


def test_a_scheduled_message_tells_when_it_will_be_sent(ada: User) -> None:
    at = timezone.now() + timedelta(hours=2)
    message = MessageFactory(owner=ada, state="scheduled", due_at=at, send_at=at)
    DeliveryFactory(message=message, state="scheduled")
    told = timeline(message)
    assert told.headline.startswith("Scheduled for ")
    assert told.headline.endswith(f"{at:%H:%M} UTC.")
    assert (told.deliveries[0].next_step, told.deliveries[0].next_at) == ("It will be sent", at)


def test_a_message_that_waits_tells_why_and_until_when(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    planned = handed_over(message, to="first")
    answered(planned, Reading.UNREACHABLE, code=None, answer="connection refused", wait=600)
    (delivery,) = timeline(message).deliveries
    assert delivery.summary == "first could not be reached (connection refused)"
    assert delivery.next_step == "It will be tried again"
    assert delivery.next_at is not None
    assert delivery.next_at - timezone.now() == pytest.approx(
        timedelta(minutes=10), abs=timedelta(minutes=1)
    )
    assert timeline(message).headline.startswith("Not sent yet; it will be tried again at ")


def test_an_uncertain_message_says_that_it_is_not_repeated(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.AMBIGUOUS, code=None, answer="connection lost")
    (delivery,) = timeline(message).deliveries
    assert "may have taken it" in delivery.summary
    assert delivery.next_step.startswith("Limbo does not send it again by itself")


def test_an_attempt_under_way_is_told_without_an_end(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    handed_over(message)
    (attempt,) = timeline(message).deliveries[0].attempts
    assert attempt.sentence == "Handing it to sink"
    assert attempt.ended_at is None


def test_recipients_stand_in_the_order_of_the_headers(ada: User) -> None:
    message = accepted(ada, "b@example.org", "a@example.org", cc=["c@example.org"])
    told = timeline(message)
    assert [d.address for d in told.deliveries] == [
        "b@example.org",
        "a@example.org",
        "c@example.org",
    ]


def test_a_new_generation_keeps_the_attempts_of_the_old_one(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer="too odd")
    (row,) = deliveries_of(message)
    moved(row, State.PENDING, requeue=True, choice="requeue", by="grace", reason="mended")
    answered(handed_over(message))
    (delivery,) = timeline(message).deliveries
    assert [(a.generation, a.outcome) for a in delivery.attempts] == [
        (1, Outcome.REFUSED),
        (2, Outcome.ACCEPTED),
    ]


def test_tracebacks_and_raw_data_are_for_staff_only(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.UNBUILDABLE, code=None, answer=TRACEBACK)
    for_owner, for_staff = timeline(message), timeline(message, staff=True)
    assert "KeyError" not in repr(for_owner)
    assert for_staff.deliveries[0].attempts[0].answer == TRACEBACK
    assert for_staff.lines[-1].data["reading"] == "unbuildable"
    assert all(line.data == {} for line in for_owner.lines)


def test_a_line_that_changed_nothing_brings_about_no_state(ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    (row,) = deliveries_of(message)
    add_event(message_id=message.id, delivery_id=row.id, kind="delivered", data={}, applied=False)
    told = timeline(message)
    assert told.lines[-1].state is None
    assert "changed nothing" in told.lines[-1].sentence
    assert told.deliveries[0].summary == "Waiting for its turn"


def test_only_the_newest_lines_are_told(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 2)
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message))
    told = timeline(message)
    assert told.earlier == 1
    assert [line.seq for line in told.lines] == [2, 3]


def test_of_a_long_history_no_more_is_read_than_told(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 2)
    message = accepted(ada, "bob@example.org", "eve@example.org")
    bob, eve = deliveries_of(message)
    for state in (State.CANCELLED, State.PENDING, State.CANCELLED):
        moved(bob, state, requeue=state is State.PENDING)
    for state in (State.CANCELLED, State.PENDING, State.CANCELLED):
        moved(eve, state, requeue=state is State.PENDING)
    read: list[Event] = []

    def note(instance: Event, **_kwargs: object) -> None:
        read.append(instance)

    post_init.connect(note, sender=Event)
    try:
        told = timeline(reloaded(message), staff=True)
    finally:
        post_init.disconnect(note, sender=Event)
    assert [line.seq for line in told.lines] == [6, 7]
    assert told.earlier == 5
    # and the latest of the one whose lines are not told
    assert sorted(event.seq for event in read) == [4, 6, 7]
    assert told.deliveries[0].since == Event.objects.get(message=message, seq=4).at
    assert told.deliveries[0].lead


@pytest.mark.parametrize("recipients", [1, 20])
def test_it_takes_three_queries_however_many_recipients(
    ada: User, django_assert_num_queries: DjangoAssertNumQueries, recipients: int
) -> None:
    message = accepted(ada, *(f"user{n}@example.org" for n in range(recipients)))
    answered(handed_over(message, to="first"), Reading.UNREACHABLE)
    answered(handed_over(message, to="second"))
    message = reloaded(message)
    with django_assert_num_queries(3):
        timeline(message)
