"""Telling what became of one message: its deliveries, hand-offs and events, as Limbo writes them.

In the same words as `history` has for a real one, but in memory: a million of them take a minute.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from limbo.local.demo_data.times import DAY, SECOND
from notifications.delivery.reading import RULES, Reading
from notifications.models.handoff import LIVE, Outcome
from notifications.models.state import OPEN, RANK, State

_RANK = {state: place for place, state in enumerate(RANK)}
_OPEN = frozenset(OPEN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Data = dict[str, Any]


class NotYetError(Exception):
    """The story has come to the present: the rest has not happened."""


@dataclass(frozen=True, slots=True)
class Way:
    """A provider, as it answers."""

    id: int
    name: str
    is_http: bool

    @property
    def reading(self) -> Reading:
        """How its acceptance is read."""
        return Reading.QUEUED if self.is_http else Reading.SENT

    @property
    def code(self) -> int:
        """What it says when it accepts."""
        return 200 if self.is_http else 250


@dataclass(slots=True)
class Attempt:
    """How one hand-off stands for one delivery."""

    delivery: "Recipient"
    generation: int
    outcome: Outcome = Outcome.IN_FLIGHT
    reading: str = ""
    code: int | None = None
    answer: str = ""

    @property
    def is_live(self) -> bool:
        """As its column of the same name."""
        return self.outcome in LIVE


@dataclass(slots=True)
class Handoff:
    """One call to one provider."""

    id: str
    way: Way
    started_at: int
    attempts: list[Attempt]
    provider_message_id: str = ""
    ended_at: int | None = None


@dataclass(slots=True)
class Recipient:
    """A delivery."""

    id: str
    kind: str
    position: int
    address: str
    name: str
    state: State
    generation: int = 1
    rounds: int = 0
    backoffs: int = 0
    due_at: int | None = None
    finalized_at: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the history."""

    at: int
    delivery_id: str | None
    seq: int
    kind: str
    data: str
    """As JSON."""


@dataclass(slots=True)
class Telling:
    """A message from its acceptance up to the present."""

    random: Random
    id: str
    accepted_at: int
    now: int
    recipients: list[Recipient]
    owner: str
    at: int = 0
    """How far the story has come."""
    expires_at: int = 0
    send_at: int | None = None
    handoffs: list[Handoff] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.at = self.accepted_at
        self.expires_at = self.accepted_at + DAY

    @property
    def state(self) -> State:
        """As a message derives it from its deliveries."""
        return min((recipient.state for recipient in self.recipients), key=_RANK.__getitem__)

    @property
    def due_at(self) -> int | None:
        """As a message derives it from its deliveries."""
        return min((one.due_at for one in self.recipients if one.due_at is not None), default=None)

    @property
    def is_in_flight(self) -> bool:
        """Whether a worker has it at this moment."""
        return any(handoff.ended_at is None for handoff in self.handoffs)

    def note(self, kind: str, data: str = "{}", recipient: Recipient | None = None) -> None:
        """Add a line to the history."""
        delivery_id = recipient.id if recipient else None
        self.events.append(Event(self.at, delivery_id, len(self.events) + 1, kind, data))

    def schedule(self, at: int) -> None:
        """Let the message, which was just accepted, go out at `at`."""
        self.send_at, self.expires_at = at, at + DAY
        for one in self.recipients:
            one.state, one.due_at = State.SCHEDULED, at
        self.events.clear()
        self.note("accepted", json.dumps({"send_at": moment(at)}))

    def wait(self, seconds: float) -> None:
        """Let time pass. Raises NotYetError where the present is reached."""
        at = self.at + int(seconds * SECOND)
        if at > self.now:
            raise NotYetError
        self.at = at

    def move(self, recipient: Recipient, state: State, data: str, *, wait: float = 0.0) -> None:
        """Take a delivery to another state; what is pending then is due after `wait` seconds."""
        recipient.state = state
        recipient.due_at = self.at + int(wait * SECOND) if state is State.PENDING else None
        if state in _OPEN:
            recipient.finalized_at = None
        elif recipient.finalized_at is None:
            recipient.finalized_at = self.at
        self.note(state, data, recipient)

    def hand_over(self, way: Way) -> Handoff:
        """Begin a hand-off of all that is pending."""
        self.wait(self.random.uniform(0.02, 0.4))
        due = [one for one in self.recipients if one.state is State.PENDING]
        handoff = Handoff(
            new_id(self.random, self.at),
            way,
            self.at,
            [Attempt(one, one.generation) for one in due],
        )
        self.handoffs.append(handoff)
        for one in due:
            self.move(one, State.SENDING, data_of(provider=way.name))
        return handoff

    def end(self, handoff: Handoff, reading: Reading, code: int | None, answer: str) -> None:
        """End a hand-off with one answer for all of its recipients."""
        self.wait(self.random.uniform(0.03, 0.9))
        for attempt in handoff.attempts:
            self.end_attempt(handoff, attempt, reading, code, answer)
        handoff.ended_at = self.at

    def end_attempt(
        self, handoff: Handoff, attempt: Attempt, reading: Reading, code: int | None, answer: str
    ) -> None:
        """End a hand-off for one of its recipients; the others' ends are to follow at once."""
        rule = RULES[reading]
        attempt.outcome, attempt.reading = rule.outcome, reading.value
        attempt.code, attempt.answer = code, answer
        data = verdict(handoff.way.name, reading.value, code, answer)
        self.move(attempt.delivery, rule.state, data)
        handoff.ended_at = self.at

    def put_off(self, seconds: float) -> None:
        """Say of what is pending, which was just moved there, that it is due only later."""
        for place in range(len(self.events) - 1, -1, -1):
            event = self.events[place]
            if event.kind != State.PENDING or event.at != self.at:
                break
            data = json.dumps(json.loads(event.data) | {"wait": round(seconds)})
            self.events[place] = Event(event.at, event.delivery_id, event.seq, event.kind, data)
        for one in self.recipients:
            if one.state is State.PENDING:
                one.due_at = min(self.at + int(seconds * SECOND), self.expires_at)
                one.rounds += 1
                one.backoffs += 1

    def report(self, recipient: Recipient, state: State, answer: str = "") -> None:
        """Have the provider report of a delivery."""
        provider = self.handoffs[-1].way.name
        words = f'"answer": "{answer}", ' if answer else ""
        self.move(
            recipient,
            state,
            f'{{"provider": "{provider}", {words}"source": "tracking", '
            f'"report_id": "{self.random.getrandbits(128):032x}"}}',
        )

    def choose_again(self, by: str, reason: str) -> None:
        """Send again what has ended without success, or is in doubt: a new generation."""
        data = data_of(by=by, reason=reason, choice="requeue")
        for one in self.recipients:
            one.generation += 1
            one.rounds = one.backoffs = 0
            self.move(one, State.PENDING, data)
        self.expires_at = max(self.expires_at, self.at + DAY)


@lru_cache(maxsize=4096)
def data_of(**data: str) -> str:
    """What an event tells, as JSON."""
    return json.dumps(data)


@lru_cache(maxsize=4096)
def verdict(provider: str, reading: str, code: int | None, answer: str) -> str:
    """What an event tells of an answer."""
    data: Data = {"provider": provider, "reading": reading}
    data |= {"code": code} if code is not None else {}
    data |= {"answer": answer} if answer else {}
    return json.dumps(data)


def moment(at: int) -> str:
    """A time in ISO 8601."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat()


def new_id(random: Random, at: int) -> str:
    """A UUIDv7 made at `at`, as hexadecimal digits."""
    bits = random.getrandbits(74)
    value = at // 1000 << 80 | 7 << 76 | bits >> 62 << 64 | 2 << 62 | bits & (1 << 62) - 1
    return f"{value:032x}"
