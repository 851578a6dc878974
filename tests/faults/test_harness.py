"""The harness itself: what it would say if Limbo were wrong."""

import time
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection

from notifications.delivery.reading import Reading
from notifications.models import Delivery, Message, User
from tests.factories import UserFactory
from tests.faults.invariants import Verdict, judge
from tests.faults.records import Received, Step
from tests.stories import accepted, answered, handed_over

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann() -> User:
    """The owner of the messages."""
    return UserFactory(username="ann")


def sent(owner: User) -> tuple[Message, UUID]:
    """A message that was sent once, as Limbo tells it, with its hand-off."""
    message = accepted(owner, "reader@example.org")
    planned = handed_over(message)
    answered(planned)
    return message, UUID(planned.handoff_id)


def record_of(message: Message, handoff_id: UUID, step: Step = Step.TAKEN) -> Received:
    """What a sink notes of the hand-off."""
    recipients = ("reader@example.org",)
    return Received(str(handoff_id), message.header_message_id, recipients, time.time(), step)


def test_a_message_that_was_taken_once_is_well(ann: User) -> None:
    message, handoff_id = sent(ann)
    verdict = judge({message.id}, [record_of(message, handoff_id)])
    assert verdict == Verdict(messages=1, accepted=1, handed_off=1)


def test_a_second_copy_is_told(ann: User) -> None:
    message, handoff_id = sent(ann)
    verdict = judge({message.id}, [record_of(message, handoff_id)] * 2)
    assert verdict.doubled == 1
    assert "handed off twice" in verdict.problems[0]


def test_a_message_that_no_sink_took_is_lost(ann: User) -> None:
    message, _ = sent(ann)
    assert judge({message.id}, []).lost == 1


def test_an_accepted_message_that_is_not_stored_is_lost(ann: User) -> None:
    message = accepted(ann, "reader@example.org")
    verdict = judge({UUID(int=1)}, [])
    assert verdict.lost == 2
    assert str(UUID(int=1)) in verdict.problems[0]
    assert str(message.deliveries.get().id) in verdict.problems[0]


def test_a_hand_off_that_is_not_stored_is_told(ann: User) -> None:
    message, handoff_id = sent(ann)
    records = [record_of(message, handoff_id), record_of(message, UUID(int=7))]
    assert "unknown hand-off" in judge({message.id}, records).problems[0]


def test_a_hand_off_that_was_committed_too_late_is_told(ann: User) -> None:
    message, handoff_id = sent(ann)
    early = Received(str(handoff_id), "", (), time.time() - 3600, Step.TAKEN)
    assert "committed after" in judge({message.id}, [early]).problems[0]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda: Message.objects.update(seq=9), "counts 9 events"),
        (lambda: Message.objects.update(state="queued"), "its deliveries are not"),
        (lambda: Delivery.objects.update(state="delivered"), "its last event is sent"),
    ],
)
def test_a_history_that_does_not_fit_is_told(
    ann: User, damage: Callable[[], object], told: str
) -> None:
    message, handoff_id = sent(ann)
    damage()
    verdict = judge({message.id}, [record_of(message, handoff_id)])
    assert told in " ".join(verdict.problems)


def test_a_doubt_without_a_ground_is_told(ann: User) -> None:
    message = accepted(ann, "reader@example.org")
    planned = handed_over(message)
    answered(planned, Reading.AMBIGUOUS)
    began = record_of(message, UUID(planned.handoff_id), Step.BEGAN)
    assert "groundless doubt" in judge({message.id}, [began]).problems[0]
    assert judge({message.id}, [began], doubt_from=Step.BEGAN).problems == []


def test_a_position_that_is_missing_is_told(ann: User) -> None:
    message, handoff_id = sent(ann)
    judge({message.id}, [record_of(message, handoff_id)])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM notifications_eventposition WHERE position = 2")
    verdict = judge({message.id}, [record_of(message, handoff_id)])
    assert "positions" in verdict.problems[0]
