"""The verdict: I1 to I6 of the fault matrix, judged from what the providers saw."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q

from notifications.models import Attempt, Event, Handoff, Message, Outcome
from tests.faults.invariants import Verdict, judge
from tests.faults.records import Received, Step
from tests.soak.chaos import BY_WORKERS, Made
from tests.soak.load import Tally

_SHOWN = 8
_MARGIN = 2.0
"""A fault may take effect so many seconds before or after it is noted."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of the soak."""

    verdict: Verdict
    excused: int
    """Doubts of which no provider read a byte, since a fault cut them off at that very moment."""

    def lines(self) -> Iterator[str]:
        """For the person at the terminal."""
        v = self.verdict
        yield f"messages {v.messages}, accepted {v.accepted}, handed off {v.handed_off} deliveries"
        yield f"doubled {v.doubled}, lost {v.lost}, uncertain {v.uncertain}"
        yield f"  of these cut off by a fault before any provider read a byte: {self.excused}"


def judge_soak(tally: Tally, seen: Sequence[Received], faults: Sequence[Made]) -> Judgement:
    """Judge, once everything has drained and while the workers still run."""
    named = _name_the_nameless(seen)
    excuses = _excuses(named, faults)
    verdict = judge(set(tally.accepted.values()), [*named, *excuses], doubt_from=Step.BEGAN)
    verdict.problems += [
        *_stored_twice(),
        *(f"refused: {text}" for text in tally.refused[:_SHOWN]),
        *(f"{key} never got an answer" for key in tally.unanswered[:_SHOWN]),
    ]
    return Judgement(verdict, len(excuses))


def evidence(problems: Iterable[str], seen: Sequence[Received]) -> Iterator[str]:
    """For the messages that the problems name: events, hand-offs, and what the providers saw."""
    ids = {UUID(found) for text in problems for found in re.findall(r"[0-9a-f-]{36}", text)}
    related = Q(id__in=ids) | Q(deliveries__in=ids) | Q(handoffs__in=ids)
    for message in Message.objects.filter(related).distinct()[:_SHOWN]:
        yield from _story(message, seen)


def _name_the_nameless(seen: Sequence[Received]) -> list[Received]:
    """Give messages that were cut off before their mark came the hand-off that is in doubt.

    Each address belongs to one message, so that its recipients name it.
    """
    addresses = {r.recipients[0] for r in seen if _is_nameless(r)}
    attempts = Attempt.objects.filter(
        outcome=Outcome.UNCERTAIN, delivery__address__in=addresses
    ).values_list("delivery__address", "handoff_id")
    doubted = {address: str(handoff_id) for address, handoff_id in attempts}
    return [
        replace(r, handoff_id=doubted.get(r.recipients[0], "")) if _is_nameless(r) else r
        for r in seen
    ]


def _is_nameless(record: Received) -> bool:
    return "-" not in record.handoff_id and bool(record.recipients)


def _excuses(seen: Iterable[Received], faults: Iterable[Made]) -> list[Received]:
    """Doubts without a trace that a fault cut off: the fault is their ground.

    Its worker was killed just before the first byte, or its provider went away with it unread. No
    fault excuses more of them than a worker has threads in all its processes.
    """
    traced = {r.handoff_id for r in seen}
    doubts = [
        handoff
        for handoff in Handoff.objects.filter(outcome=Outcome.UNCERTAIN)
        .select_related("provider")
        .order_by("started_at")
        if str(handoff.id) not in traced
    ]
    excused: dict[UUID, Received] = {}
    for fault in faults:
        cut = [h for h in doubts if h.id not in excused and _is_cut_by(h, fault)]
        for handoff in cut[: settings.LIMBO_THREADS * settings.LIMBO_WORKERS]:
            at = datetime.now(UTC).timestamp()
            excused[handoff.id] = Received(str(handoff.id), "", (), at, Step.BEGAN)
    return list(excused.values())


def _is_cut_by(handoff: Handoff, fault: Made) -> bool:
    if fault.cuts not in (BY_WORKERS, handoff.provider.name):
        return False
    ended = handoff.ended_at.timestamp() if handoff.ended_at else fault.at
    return handoff.started_at.timestamp() - _MARGIN <= fault.at <= ended + _MARGIN


def _stored_twice() -> Iterator[str]:
    """Each subject is one submission's key, however often it was repeated."""
    rows = Message.objects.order_by().values_list("subject").annotate(Count("id"))
    for subject, count in rows.filter(id__count__gt=1)[:_SHOWN]:
        yield f"the submission {subject} is stored {count} times"


def _story(message: Message, seen: Sequence[Received]) -> Iterator[str]:
    yield f"message {message.id}, {message.subject!r}, is {message.state}"
    for event in Event.objects.filter(message_id=message.id).order_by("seq"):
        what = f"{event.kind} {event.delivery_id or ''} {event.data}"
        yield f"  event {event.seq} {_clock(event.at)} {what}"
    handoffs = message.handoffs.select_related("provider").order_by("started_at")
    for handoff in handoffs:
        times = f"{_clock(handoff.started_at)} to {_clock(handoff.ended_at)}"
        told = f"{handoff.outcome} {handoff.answer[:120]!r}"
        yield f"  hand-off {handoff.id} by {handoff.provider} {times}: {told}"
    ids = {str(handoff.id) for handoff in handoffs}
    for record in seen:
        if record.handoff_id in ids:
            at = datetime.fromtimestamp(record.at, UTC)
            what = f"{record.step.name} {record.handoff_id} {' '.join(record.recipients)}"
            yield f"  provider {_clock(at)} {what}"


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S.%f}" if at else "now"
