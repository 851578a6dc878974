"""What providers report later, put into the history.

A report may come twice, out of order, or before the worker has recorded the hand-off it is about.
One that is impossible now is kept as an event with `applied = false`, and tried again when an
outcome is recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from notifications.history.changes import (
    Change,
    Changed,
    add_event,
    change_deliveries,
    lock_messages,
)
from notifications.models import Attempt, Event
from notifications.models.handoff import UNSETTLED, Outcome
from notifications.models.state import TRANSITIONS, State

_REPORTABLE_BEFORE = (
    State.SENDING,
    State.UNCERTAIN,
    State.QUEUED,
    State.SENT,
    State.DEFERRED,
    State.DELIVERED,
)


@dataclass(frozen=True, slots=True)
class Report:
    """One tracking event of one recipient, as the provider tells it."""

    attempt: Attempt
    """The attempt it is about, with its delivery."""
    state: State
    report_id: str
    """The provider's id of this report, by which a repeat is known."""
    data: Mapping[str, Any]


def apply_tracking_event(report: Report) -> bool:
    """Move the delivery on by `report`, or keep it as not applied.

    Returns whether it changed the delivery. A report seen before changes nothing and adds nothing.
    """
    delivery = report.attempt.delivery
    with transaction.atomic():
        lock_messages([delivery.message_id])
        if report.report_id and _is_known(delivery.id, report.report_id):
            return False
        _settle_attempt(report.attempt)
        data = {**report.data, "report_id": report.report_id, "source": "tracking"}
        applied = _apply(delivery.id, report.attempt.generation, report.state, data)
        if not applied:
            add_event(
                message_id=delivery.message_id,
                delivery_id=delivery.id,
                kind=report.state,
                data={**data, "generation": report.attempt.generation},
                applied=False,
            )
        return applied


def reapply_tracking_events(changed: Sequence[Changed]) -> None:
    """Try the reports again that came before the outcomes of `changed` were recorded."""
    early = Event.objects.filter(
        delivery_id__in=[delivery.delivery_id for delivery in changed],
        applied=False,
        data__source="tracking",
    ).order_by("delivery_id", "seq")
    for event in early:
        if event.delivery_id is not None:
            _apply(event.delivery_id, event.data["generation"], State(event.kind), event.data)


def _apply(delivery_id: UUID, generation: int, state: State, data: Mapping[str, Any]) -> bool:
    before = [state_ for state_ in _REPORTABLE_BEFORE if state in TRANSITIONS[state_]]
    change = Change(delivery_id=delivery_id, state=state, data=data, generation=generation)
    return bool(change_deliveries([change], before=before))


def _is_known(delivery_id: UUID, report_id: str) -> bool:
    return Event.objects.filter(delivery_id=delivery_id, data__report_id=report_id).exists()


def _settle_attempt(attempt: Attempt) -> None:
    """A provider that reports on a message has taken it: what was open or in doubt is accepted."""
    parameters: dict[str, Any] = {
        "accepted": Outcome.ACCEPTED.value,
        "unsettled": [outcome.value for outcome in UNSETTLED],
        "handoff": attempt.handoff_id,
        "attempt": attempt.id,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_attempt SET outcome = %(accepted)s
            WHERE id = %(attempt)s AND outcome = ANY(%(unsettled)s)
            """,
            parameters,
        )
        cursor.execute(
            """
            UPDATE notifications_handoff
            SET outcome = %(accepted)s, ended_at = coalesce(ended_at, now())
            WHERE id = %(handoff)s AND outcome = ANY(%(unsettled)s)
            """,
            parameters,
        )
