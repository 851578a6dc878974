"""What became of one message, in plain English: for its owner's page and for staff's."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from notifications.history.headline import Standing, headline
from notifications.history.lead import lead
from notifications.history.wording import (
    Facts,
    Reader,
    attempt_sentence,
    event_sentence,
    what_happened,
)
from notifications.models import Attempt, Delivery, Event, Message, Outcome
from notifications.models.state import OPEN, State

MOST_LINES = 500
"""The newest lines of history that are told; a page with more would help nobody."""

_NEXT = {
    State.HELD: "It waits for a decision.",
    State.SENDING: "The outcome is shown as soon as the provider answers.",
    State.UNCERTAIN: "Limbo does not send it again by itself, so that nobody gets it twice. "
    "It waits for word from the provider, or for a person to decide.",
    State.QUEUED: "The provider delivers it and may report how that went.",
    State.SENT: "The server that took it delivers it and may report how that went.",
    State.DEFERRED: "The provider goes on trying.",
}
"""What happens next to a delivery; a state without an entry is the end."""


@dataclass(frozen=True, slots=True)
class AttemptSummary:
    """One attempt: who was asked and what came of it."""

    provider: str
    outcome: Outcome
    generation: int
    sentence: str
    code: int | None
    answer: str
    """The provider's raw words; empty where the reader may not see them."""
    started_at: datetime
    ended_at: datetime | None
    handoff_id: UUID
    """Of the call to the provider, which its other recipients share."""
    provider_message_id: str
    """The provider's own id of the message; empty where it gave none."""
    tries: int
    """How often that one call was made, under the provider's key against doubles."""


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """Where one recipient's delivery stands, and what happens next."""

    id: UUID
    kind: str
    address: str
    name: str
    state: State
    generation: int
    summary: str
    next_step: str
    """What happens next; empty when nothing does."""
    next_at: datetime | None
    finalized_at: datetime | None
    attempts: tuple[AttemptSummary, ...]
    """Oldest first, of all generations."""
    since: datetime | None = None
    """When it came to stand so; None where no event tells."""
    lead: str = ""
    """`summary` to the second, without the provider's words; empty where no event tells."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of history."""

    seq: int
    at: datetime
    kind: str
    recipient: str
    """The recipient's address; empty when it tells of the whole message."""
    sentence: str
    answer: str
    """The provider's raw words; empty where the reader may not see them."""
    applied: bool
    data: Mapping[str, Any]
    """The event's own data, for staff; empty for others."""

    @property
    def state(self) -> State | None:
        """The state it brought about; None for a line of another kind, or that changed nothing."""
        return State(self.kind) if self.applied and self.kind in State.values else None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What became of one message."""

    headline: str
    deliveries: tuple[DeliverySummary, ...]
    lines: tuple[Line, ...]
    """In the order of `seq`."""
    earlier: int
    """Lines before the first of `lines` that are left out."""
    is_settled: bool
    """No delivery is open: nothing more happens by itself, but for a provider's late report."""


def timeline(message: Message, *, staff: bool = False) -> Timeline:
    """Tell what became of `message`, to staff or (the default) to its owner.

    Staff are told to the second what became of a message's only recipient.
    Three queries; one more for the owner where `message.owner` is not loaded, and one where a
    recipient's latest line is too old to be told.
    """
    now = timezone.now()
    reader = Reader(owner=message.owner.get_username(), is_staff=staff)
    # to, then cc, then bcc, as in the headers
    rows = sorted(
        Delivery.objects.filter(message=message),
        key=lambda row: (("to", "cc", "bcc").index(row.kind), row.position),
    )
    attempts = _attempts(message, reader)
    told = list(Event.objects.filter(message=message).order_by("-seq")[:MOST_LINES])[::-1]
    # counted from one, without a gap
    earlier = told[0].seq - 1 if told else 0
    last = _last(message, told, [row.id for row in rows] if earlier else [])
    deliveries = tuple(
        _delivery(row, last.get(row.id), attempts[row.id], reader, now=now) for row in rows
    )
    address_of = {row.id: row.address for row in rows}
    return Timeline(
        headline=_headline(deliveries, reader, now=now),
        deliveries=deliveries,
        lines=tuple(_line(event, address_of, reader) for event in told),
        earlier=earlier,
        is_settled=not any(delivery.state in OPEN for delivery in deliveries),
    )


def _last(
    message: Message, told: Sequence[Event], wanted: Sequence[UUID]
) -> dict[UUID | None, Event]:
    """Each delivery's latest event: of those that are `told`, else for the `wanted` of all."""
    last = {event.delivery_id: event for event in told if event.applied}
    if missing := set(wanted) - last.keys():
        older = Event.objects.filter(message=message, delivery__in=missing, applied=True)
        for event in older.order_by("delivery", "-seq").distinct("delivery"):
            last[event.delivery_id] = event
    return last


def _attempts(message: Message, reader: Reader) -> dict[UUID, list[AttemptSummary]]:
    """The attempts by delivery, oldest first: UUIDv7 sorts by time."""
    by_delivery: dict[UUID, list[AttemptSummary]] = defaultdict(list)
    rows = Attempt.objects.filter(delivery__message=message).select_related("handoff__provider")
    for row in rows.order_by("handoff_id"):
        by_delivery[row.delivery_id].append(_attempt(row, reader))
    return by_delivery


def _attempt(row: Attempt, reader: Reader) -> AttemptSummary:
    outcome = Outcome(row.outcome)
    told = reader.may_read(reading=row.reading, answer=row.answer)
    facts = Facts(
        provider=row.handoff.provider.name,
        reading=row.reading,
        code=row.code,
        answer=row.answer if told else "",
    )
    return AttemptSummary(
        provider=facts.provider,
        outcome=outcome,
        generation=row.generation,
        sentence=attempt_sentence(outcome, facts),
        code=row.code,
        answer=facts.answer,
        started_at=row.handoff.started_at,
        ended_at=row.handoff.ended_at,
        handoff_id=row.handoff_id,
        provider_message_id=row.handoff.provider_message_id,
        tries=row.handoff.tries,
    )


def _delivery(
    row: Delivery,
    last: Event | None,
    attempts: Sequence[AttemptSummary],
    reader: Reader,
    *,
    now: datetime,
) -> DeliverySummary:
    state = State(row.state)
    facts = Facts.of_event(last.data, reader) if last else Facts()
    next_step, next_at = _next(row, state, now=now)
    return DeliverySummary(
        id=row.id,
        kind=row.kind,
        address=row.address,
        name=row.name,
        state=state,
        generation=row.generation,
        summary=what_happened(state, facts),
        since=last.at if last else None,
        lead=lead(state, facts, since=last.at, again_at=next_at, now=now) if last else "",
        next_step=next_step,
        next_at=next_at,
        finalized_at=row.finalized_at,
        attempts=tuple(attempts),
    )


def _next(row: Delivery, state: State, *, now: datetime) -> tuple[str, datetime | None]:
    if state is State.SCHEDULED:
        return "It will be sent", row.due_at
    if state is not State.PENDING:
        return _NEXT.get(state, ""), None
    if row.due_at and row.due_at > now:
        return "It will be tried again", row.due_at
    return "It will be sent as soon as a worker is free.", None


def _headline(deliveries: Sequence[DeliverySummary], reader: Reader, *, now: datetime) -> str:
    if reader.is_staff and len(deliveries) == 1 and deliveries[0].lead:
        return f"{deliveries[0].lead}."
    return headline([_standing(delivery) for delivery in deliveries], now=now)


def _standing(delivery: DeliverySummary) -> Standing:
    if delivery.state is State.SCHEDULED:
        return Standing(delivery.state, starts_at=delivery.next_at)
    return Standing(delivery.state, retry_at=delivery.next_at)


def _line(event: Event, address_of: Mapping[UUID, str], reader: Reader) -> Line:
    facts = Facts.of_event(event.data, reader)
    return Line(
        seq=event.seq,
        at=event.at,
        kind=event.kind,
        recipient=address_of[event.delivery_id] if event.delivery_id else "",
        sentence=event_sentence(event.kind, facts, applied=event.applied),
        answer=facts.answer,
        applied=event.applied,
        data=event.data if reader.is_staff else {},
    )
