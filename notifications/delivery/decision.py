"""What follows from a hand-off's verdict for one delivery."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from django.conf import settings

from notifications.delivery.handoff import Verdict
from notifications.delivery.loading import DueMessage
from notifications.delivery.reading import RULES, Reading
from notifications.delivery.retry import next_delay
from notifications.delivery.routing import Wish
from notifications.delivery.rows import DeliveryRow
from notifications.history.changes import Change
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome
from notifications.models.handoff import Outcome
from notifications.models.ids import Id
from notifications.models.record import record
from notifications.models.state import State

_ASKED = (Reading.TEMPORARY, Reading.REFUSED_HERE)
"""Readings by which a provider was really asked; a round without any of them does not count."""


_UNBEGUN = (Reading.NOT_BEGUN, Reading.CLOSED)
"""Readings of hand-offs of which the provider has heard nothing."""


_FOR_STAFF = (Reading.UNBUILDABLE,)
"""Readings whose answer is a traceback: staff find it in the attempt, and nobody else."""


SETTLING = frozenset(
    reading for reading, rule in RULES.items() if rule.state not in (State.PENDING, State.UNCERTAIN)
)
"""Readings after which nothing follows, as nearly all are."""


class Next(Enum):
    """Where a delivery goes after a verdict."""

    DONE = auto()
    ANOTHER_PROVIDER = auto()
    WAIT = auto()
    GIVE_UP = auto()
    LEFT = auto()
    """This batch ends before it could go on; it stays due for another one."""


@dataclass(slots=True)
class Progress:
    """What this batch knows of one due delivery."""

    message: DueMessage
    delivery: DeliveryRow
    wish: Wish | None = None
    """None where its hand-off is repeated: that goes where it went, whatever anybody wishes."""
    tried: frozenset[str] = frozenset()
    readings: tuple[Reading, ...] = ()

    def note(self, provider: str, reading: Reading) -> None:
        """That `provider` was tried, and what it made of it."""
        self.tried |= {provider}
        if reading not in _UNBEGUN:
            self.readings += (reading,)

    @property
    def counts_as_round(self) -> bool:
        """Whether some provider was really asked."""
        return any(reading in _ASKED for reading in self.readings)

    @property
    def refused_everywhere(self) -> bool:
        """Whether every provider said that it will not send this message."""
        return bool(self.readings) and set(self.readings) == {Reading.REFUSED_HERE}

    @property
    def rounds_used_up(self) -> bool:
        """Whether the round that ends now was the last one allowed."""
        limit = settings.LIMBO_MAX_ROUNDS
        return bool(limit) and self.counts_as_round and self.delivery.rounds + 1 >= limit


@record
class After:
    """What may come after a verdict."""

    more_routes: bool
    """Another provider is left to ask."""
    repeats: bool
    """A doubtful hand-off may be repeated under the provider's own idempotency key."""
    batch_ends: bool
    """The worker is ending, or the batch's time is used up: nothing more begins in it."""


@record
class Decision:
    """A verdict's record, and what the batch does next with the delivery."""

    progress: Progress
    attempt: AttemptOutcome
    next: Next


@dataclass(slots=True)
class Decided:
    """What is to be recorded of hand-offs that ended, and where their deliveries go then."""

    outcomes: list[HandoffOutcome] = field(default_factory=list)
    going: defaultdict[Next, list[Progress]] = field(default_factory=lambda: defaultdict(list))
    """Nowhere, if it is not told: most are done with their verdict."""

    def follow(self, decision: Decision) -> AttemptOutcome:
        """Note where the delivery of `decision` goes; returns what is recorded of it."""
        self.going[decision.next].append(decision.progress)
        return decision.attempt


def settle(delivery_id: Id, verdict: Verdict, *, provider: str) -> AttemptOutcome:
    """Read a `verdict` of `provider` after which nothing follows."""
    rule = RULES[verdict.reading]
    change = Change(delivery_id, rule.state, event_data(provider, verdict))
    return _attempt(change, rule.outcome, verdict)


def decide(progress: Progress, verdict: Verdict, *, provider: str, after: After) -> Decision:
    """Read the `verdict` of `provider` and decide, by what may come `after` it."""
    if verdict.reading in SETTLING:
        attempt = settle(progress.delivery.delivery_id, verdict, provider=provider)
        return Decision(progress, attempt, Next.DONE)
    rule = RULES[verdict.reading]
    progress.note(provider, verdict.reading)
    step = _next(progress, verdict.reading, after)
    failed_everywhere = step is Next.DONE and rule.state is State.PENDING
    state = State.FAILED if failed_everywhere else rule.state
    repeats = after.repeats and rule.state is State.UNCERTAIN
    wait = next_delay(progress.delivery.backoffs) if step is Next.WAIT or repeats else 0.0
    change = Change(
        progress.delivery.delivery_id,
        state,
        data=event_data(provider, verdict, wait=wait),
        wait=wait,
        repeats=repeats,
        ends_round=step in (Next.WAIT, Next.GIVE_UP) and progress.counts_as_round,
        backs_off=step is Next.WAIT or repeats,
    )
    return Decision(progress, _attempt(change, rule.outcome, verdict), step)


def decide_repeat(progress: Progress, verdict: Verdict, *, provider: str, after: After) -> Decision:
    """Read the verdict of a repeat under the provider's own idempotency key.

    Only an acceptance settles it. Whatever else the provider says is about this try, and says
    nothing about the first one, which it may have taken.
    """
    if RULES[verdict.reading].outcome is Outcome.ACCEPTED:
        return decide(progress, verdict, provider=provider, after=after)
    wait = next_delay(progress.delivery.backoffs) if after.repeats else 0.0
    change = Change(
        progress.delivery.delivery_id,
        State.UNCERTAIN,
        data={**event_data(provider, verdict, wait=wait), "repeat": True},
        wait=wait,
        repeats=after.repeats,
        backs_off=after.repeats,
    )
    # why the first try is in doubt must not be lost over one that never was
    reading = "" if verdict.reading in _UNBEGUN else verdict.reading
    attempt = AttemptOutcome(change, Outcome.UNCERTAIN, reading, verdict.code, verdict.answer)
    return Decision(progress, attempt, Next.DONE)


def _attempt(change: Change, outcome: Outcome, verdict: Verdict) -> AttemptOutcome:
    return AttemptOutcome(change, outcome, verdict.reading, verdict.code, verdict.answer)


def _next(progress: Progress, reading: Reading, after: After) -> Next:
    if RULES[reading].state is not State.PENDING:
        return Next.DONE
    if reading is Reading.NOT_BEGUN:
        return Next.LEFT
    if after.more_routes:
        return Next.LEFT if after.batch_ends else Next.ANOTHER_PROVIDER
    if progress.refused_everywhere:
        return Next.DONE
    return Next.GIVE_UP if progress.rounds_used_up else Next.WAIT


def event_data(provider: str, verdict: Verdict, *, wait: float = 0.0) -> dict[str, object]:
    """What the history tells of a verdict."""
    data: dict[str, object] = {"provider": provider, "reading": verdict.reading}
    if verdict.code is not None:
        data["code"] = verdict.code
    if verdict.answer and verdict.reading not in _FOR_STAFF:
        data["answer"] = verdict.answer
    if wait:
        data["wait"] = round(wait)
    return data


def give_up(progresses: Sequence[Progress]) -> list[Change]:
    """The step of deliveries whose attempts or time are used up."""
    return [_end(progress) for progress in progresses]


def _end(progress: Progress) -> Change:
    id_, message = progress.delivery.delivery_id, progress.message
    if message.is_past_deadline:
        state = State.DEAD if id_ in message.attempted else State.EXPIRED
        return Change(id_, state, data={"reason": "deadline"})
    return Change(id_, State.DEAD, data={"reason": "attempts used up"})
