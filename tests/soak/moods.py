"""Providers that misbehave at random, each time in one of the ways that real ones have."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.faults.records import Received, Step
from tests.peers import (
    Action,
    Answer,
    Envelope,
    HttpPeer,
    HttpRequest,
    SmtpPeer,
    drip,
    drop,
    postmark,
    reply,
    reset,
)
from tests.peers.actions import GoneError

Note = Callable[[Received], None]
"""Keeps a record before the provider answers."""

MEAN_SECONDS = 0.2
"""How long a provider takes to answer what it has read."""

Odds = Sequence[tuple[float, Action]]

_SLOWLY = drip("250 2.0.0 ok, at last", every=0.1)

_AT: Mapping[str, Odds] = {
    "greeting": [(0.01, reply("421 4.3.2 come back later")), (0.01, drop())],
    "mail": [(0.01, reply("451 4.3.0 out of order"))],
    "data": [(0.01, reply("452 4.2.2 full"))],
    "body": [(0.01, drop()), (0.005, reset())],
    "dot": [
        (0.01, reply("451 4.3.0 out of order")),
        (0.003, reply("554 5.7.1 spam")),
        (0.01, drop()),
        (0.005, reset()),
        (0.02, _SLOWLY),
    ],
}
"""What may happen at which moment of an SMTP transaction, and how often; else it behaves well."""

_OF_RECIPIENT: Sequence[tuple[float, str]] = [
    (0.01, "450 4.2.1 greylisted"),
    (0.003, "550 5.1.1 no such user"),
]


@dataclass(frozen=True, slots=True)
class _Reaction:
    """What becomes of an HTTP request: how far the hand-off came, and what is said, if anything."""

    step: Step
    answer: Answer | None


_OF_REQUEST: Sequence[tuple[float, _Reaction]] = [
    (0.01, _Reaction(Step.ENDED, Answer(429, '{"Message": "slow down"}', {"Retry-After": "2"}))),
    (0.003, _Reaction(Step.ENDED, Answer(422, '{"ErrorCode": 300, "Message": "invalid"}'))),
    (0.01, _Reaction(Step.ENDED, Answer(500, '{"Message": "oops"}'))),
    (0.01, _Reaction(Step.TAKEN, Answer(500, '{"Message": "oops"}'))),
    (0.01, _Reaction(Step.TAKEN, None)),
    (0.01, _Reaction(Step.ENDED, None)),
    (0.005, _Reaction(Step.TAKEN, Answer(200, "<html>", missing=100))),
]
"""What may become of a request to the HTTP provider; else it takes it."""

T = TypeVar("T")


@dataclass(slots=True)
class Mood:
    """The chance that a provider misbehaves; several threads ask it."""

    random: Random
    calm: threading.Event
    """Set: from now on it behaves well."""

    def pick(self, odds: Sequence[tuple[float, T]]) -> T | None:
        """One of the things that may happen; None to behave well."""
        drawn = 1.0 if self.calm.is_set() else self.random.random()
        for chance, what in odds:
            if drawn < chance:
                return what
            drawn -= chance
        return None

    def take_time(self) -> None:
        """Before an answer, so that a fault finds hand-offs under way."""
        self.calm.wait(self.random.expovariate(1 / MEAN_SECONDS))


class MoodySmtp(SmtpPeer):
    """An SMTP server with moods."""

    def __init__(self, port: int, mood: Mood, note: Note) -> None:
        super().__init__(port=port)
        self._mood = mood
        self._tell = note

    def action_at(self, moment: str) -> Action | None:
        """Whatever it likes."""
        return self._mood.pick(_AT.get(moment, ()))

    def refusal_of(self, address: str) -> str | None:
        """Whether it wants this recipient."""
        return self._mood.pick(_OF_RECIPIENT)

    def note_end(self, envelope: Envelope, *, takes: bool) -> None:
        """Keep a message that came whole."""
        self._tell(_record(envelope, Step.TAKEN if takes else Step.ENDED))
        self._mood.take_time()

    def note_cut(self, envelope: Envelope) -> None:
        """Keep what came of a message that was not ended."""
        self._tell(_record(envelope, Step.BEGAN))


class MoodyHttp(HttpPeer):
    """A provider that speaks as Postmark, with moods."""

    def __init__(self, port: int, mood: Mood, note: Note) -> None:
        super().__init__(port=port)
        self._mood = mood
        self._tell = note

    def note(self, request: HttpRequest) -> Answer:
        """Take it, or not, and say so, or nothing."""
        reaction = self._mood.pick(_OF_REQUEST) or _Reaction(Step.TAKEN, postmark(request))
        self._tell(Received(request.handoff_id, "", (), request.at, reaction.step))
        self._mood.take_time()
        if reaction.answer is None:
            raise GoneError
        return reaction.answer


def _record(envelope: Envelope, step: Step) -> Received:
    message_id = str(envelope.message["Message-ID"] or "")
    return Received(envelope.handoff_id, message_id, envelope.recipients, envelope.at, step)
