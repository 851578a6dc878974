"""Reports come twice, shuffled and early; each ends as one event, and the delivery rightly."""

from itertools import permutations
from typing import Any

import pytest

from notifications.delivery.reading import Reading
from notifications.history.in_flight import Planned
from notifications.models import Attempt, Delivery, Event, Handoff, Message, Outcome, State
from tests import stories
from tests.tracking.conftest import Reports, StateOf
from tests.tracking.payloads import (
    mailgun,
    post_mailgun,
    post_postmark,
    postmark,
)

ANN = "ann@example.org"
BOB = "bob@example.org"


def test_a_repeated_report_is_one_event(taken: Planned, reports: Reports) -> None:
    report = postmark("Delivery", ANN, handoff=taken.handoff_id)
    assert [post_postmark(report).status_code for _ in range(3)] == [200, 200, 200]
    assert reports() == [(State.DELIVERED, True)]


def test_a_report_repeated_under_a_new_signature_is_one_event(
    taken: Planned, reports: Reports
) -> None:
    report = mailgun("delivered", ANN, handoff=taken.handoff_id)
    assert [post_mailgun(report).status_code for _ in range(2)] == [200, 200]
    assert reports() == [(State.DELIVERED, True)]


def test_a_repeated_report_that_could_not_be_applied_is_one_event(
    taken: Planned, reports: Reports
) -> None:
    post_postmark(postmark("Bounce", ANN, handoff=taken.handoff_id))
    for _ in range(2):
        post_postmark(postmark("Delivery", ANN, handoff=taken.handoff_id))
    assert reports() == [(State.BOUNCED, True), (State.DELIVERED, False)]


STORIES = [
    (("deferred", "delivered"), State.DELIVERED),
    (("deferred", "bounced"), State.BOUNCED),
    (("delivered", "complained"), State.COMPLAINED),
    (("deferred", "delivered", "complained"), State.COMPLAINED),
    (("deferred", "delivered", "bounced"), State.BOUNCED),
]

MAILGUN: dict[str, dict[str, Any]] = {
    "deferred": {"event": "failed", "severity": "temporary"},
    "delivered": {"event": "delivered"},
    "bounced": {"event": "failed", "severity": "permanent", "reason": "bounce"},
    "complained": {"event": "complained"},
}

SHUFFLED = [(order, end) for story, end in STORIES for order in permutations(story)]


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "early"])
@pytest.mark.parametrize(("order", "end"), SHUFFLED, ids=str)
def test_in_any_order_reports_end_in_the_right_state(
    in_flight: Planned,
    state_of: StateOf,
    reports: Reports,
    order: tuple[str, ...],
    end: State,
    is_recorded: bool,
) -> None:
    if is_recorded:
        stories.answered(in_flight, Reading.QUEUED, code=200, answer="")
    for place, kind in enumerate(order):
        fields = MAILGUN[kind] | {"timestamp": 1795514531.0 + place}
        post_mailgun(mailgun(recipient=ANN, handoff=in_flight.handoff_id, **fields))
    if not is_recorded:
        stories.answered(in_flight, Reading.QUEUED, code=200, answer="")
    assert state_of(ANN) == end
    assert len(reports()) == len(order)
    assert state_of(BOB) == State.QUEUED


def test_a_report_may_overtake_the_answer(
    message: Message, in_flight: Planned, state_of: StateOf
) -> None:
    post_postmark(postmark("Delivery", ANN, handoff=in_flight.handoff_id))
    assert state_of(ANN) == State.DELIVERED
    assert state_of(BOB) == State.SENDING
    stories.answered(in_flight, Reading.QUEUED, code=200, answer="taken")
    assert state_of(ANN) == State.DELIVERED
    assert state_of(BOB) == State.QUEUED
    handoff = Handoff.objects.get(id=in_flight.handoff_id)
    assert (handoff.outcome, handoff.answer) == (Outcome.ACCEPTED, "taken")
    message.refresh_from_db()
    assert message.state == State.QUEUED


def test_an_early_report_outlives_an_answer_that_nobody_could_read(
    in_flight: Planned, state_of: StateOf
) -> None:
    post_postmark(postmark("Delivery", ANN, handoff=in_flight.handoff_id))
    stories.answered(in_flight, Reading.AMBIGUOUS, code=502, answer="Bad Gateway")
    assert state_of(ANN) == State.DELIVERED
    assert state_of(BOB) == State.UNCERTAIN
    assert Handoff.objects.get(id=in_flight.handoff_id).outcome == Outcome.UNCERTAIN


def test_a_report_on_an_older_generation_changes_the_attempt_alone(
    message: Message, in_flight: Planned, state_of: StateOf, reports: Reports
) -> None:
    stories.answered(in_flight, Reading.AMBIGUOUS, code=502, answer="")
    ann = Delivery.objects.get(message=message, address=ANN)
    stories.moved(ann, State.PENDING, requeue=True)
    post_postmark(postmark("Delivery", ANN, handoff=in_flight.handoff_id))
    assert state_of(ANN) == State.PENDING
    assert reports() == [(State.DELIVERED, False)]
    assert Event.objects.get(message=message, applied=False).data["generation"] == 1
    attempt = Attempt.objects.get(handoff_id=in_flight.handoff_id, delivery=ann)
    assert attempt.outcome == Outcome.ACCEPTED


def test_a_report_of_a_provider_that_did_not_take_it_changes_nothing(
    message: Message, in_flight: Planned, state_of: StateOf, reports: Reports
) -> None:
    stories.answered(in_flight, Reading.TEMPORARY, code=451, answer="later")
    second = stories.handed_over(message, to="mg")
    stories.answered(second, Reading.QUEUED, code=200, answer="")
    post_postmark(postmark("Bounce", ANN, handoff=in_flight.handoff_id))
    assert state_of(ANN) == State.QUEUED
    assert reports() == [(State.BOUNCED, False)]
