"""What providers report later, put into the history.

A report may come twice, out of order, or before the worker has recorded the hand-off it is about.
It tells that the provider has the message, so it settles an attempt that is open or in doubt, and
moves the delivery on as far as the state table allows. One that is impossible now, or is about an
attempt that was not the one that got the message out, is kept as an event with `applied = false`:
nothing that can still happen would make it possible, since every report is legal from the states
in which an attempt waits for its outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from notifications.history.changes import Change, add_event, change_deliveries, lock_messages
from notifications.history.outcomes import settle_handoff
from notifications.models import Attempt, Event
from notifications.models.handoff import UNSETTLED, Outcome
from notifications.models.state import TRACKING, TRANSITIONS, State

REPORTABLE = (State.QUEUED, State.SENT, *TRACKING)
"""The states that a report can bring about."""

REPORTED = "reported"
"""The reading of an attempt that no answer has settled, but a report."""

_BEFORE = {
    after: tuple(
        before
        for before, targets in TRANSITIONS.items()
        if after in targets and before != "pending"
    )
    for after in REPORTABLE
}
"""From where each may be reached; what is still to be sent, no report is about."""


@dataclass(frozen=True, slots=True)
class Report:
    """One tracking event of one recipient, as the provider tells it."""

    attempt: Attempt
    """The attempt it is about, with its delivery."""
    state: State
    """One of `REPORTABLE`."""
    report_id: str
    """The same for each copy of this report, by which a repeat is known."""
    data: Mapping[str, Any]
    """What its event tells: the provider, its words."""


def apply_tracking_event(report: Report) -> bool:
    """Move the delivery on by `report`, or keep it as not applied.

    Returns whether it changed the delivery. A report seen before changes nothing and adds nothing.
    """
    delivery = report.attempt.delivery
    with transaction.atomic():
        lock_messages([delivery.message_id])
        if _is_known(report):
            return False
        data = {**report.data, "report_id": report.report_id, "source": "tracking"}
        applied = _settle(report.attempt) and _apply(report, data)
        if not applied:
            add_event(
                message_id=delivery.message_id,
                delivery_id=delivery.id,
                kind=report.state,
                data={**data, "generation": report.attempt.generation},
                applied=False,
            )
        return applied


def _is_known(report: Report) -> bool:
    delivery = report.attempt.delivery
    same = Event.objects.filter(message_id=delivery.message_id, delivery=delivery)
    return same.filter(kind=report.state, data__report_id=report.report_id).exists()


def _apply(report: Report, data: Mapping[str, Any]) -> bool:
    attempt = report.attempt
    change = Change(attempt.delivery_id, report.state, data=data, generation=attempt.generation)
    return bool(change_deliveries([change], before=_BEFORE[report.state]))


def _settle(attempt: Attempt) -> bool:
    """Note that the provider has the message, if that was open or in doubt.

    Returns whether the attempt stands as accepted. One that was recorded as not accepted stays so:
    another provider has been asked since.
    """
    parameters: dict[str, Any] = {
        "accepted": Outcome.ACCEPTED.value,
        "unsettled": [outcome.value for outcome in UNSETTLED],
        "handoff": attempt.handoff_id,
        "delivery": attempt.delivery_id,
        "reading": REPORTED,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_attempt
            SET outcome = %(accepted)s, reading = %(reading)s, code = NULL, answer = ''
            WHERE handoff_id = %(handoff)s AND delivery_id = %(delivery)s
                AND outcome = ANY(%(unsettled)s)
            """,
            parameters,
        )
    settle_handoff(attempt.handoff_id)
    return Attempt.objects.filter(pk=attempt.pk, outcome=Outcome.ACCEPTED).exists()
