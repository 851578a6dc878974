"""The providers' side of the truth: what came over the wire, and what they made of it.

A provider is a list of passages. What becomes of one is decided by the machine, at any time after
it came, whether or not somebody still waits for the answer.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Outgoing, Verdict
from notifications.delivery.reading import RULES, Reading
from notifications.delivery.recipient import Recipient
from notifications.models.handoff import Outcome
from notifications.models.ids import Id
from tests.faults.records import Received, Step

CONFIGURED = (
    "first=smtp://127.0.0.1:1,second=smtp://127.0.0.1:2,keyed=anymail-resend://KEY@/?weight=4"
)
"""Two that take a message as often as it comes, and one that knows its keys again."""

KEYED = "keyed"
KEY_SECONDS = 24 * 60 * 60
"""For so long it knows a key again."""


class Decision(Enum):
    """What a provider makes of a message: its word for the first recipient, and for the others."""

    TAKES = (Reading.SENT, Reading.SENT)
    REFUSES_ONE = (Reading.RECIPIENT_REFUSED, Reading.SENT)
    PUTS_ONE_OFF = (Reading.TEMPORARY, Reading.SENT)
    IS_UNCLEAR_ABOUT_ONE = (Reading.AMBIGUOUS, Reading.SENT)
    """It takes the first one too, and says something that nobody understands."""
    PUTS_OFF = (Reading.TEMPORARY, Reading.TEMPORARY)
    REFUSES = (Reading.MESSAGE_REFUSED, Reading.MESSAGE_REFUSED)
    SENDS_AWAY = (Reading.REFUSED_HERE, Reading.REFUSED_HERE)
    IS_EXHAUSTED = (Reading.EXHAUSTED, Reading.EXHAUSTED)


@dataclass(slots=True)
class Passage:
    """One hand-off that came over the wire to its end."""

    provider: str
    request: HandoffRequest
    arrived_at: float
    """Model time, in seconds."""
    at: float = field(default_factory=time.time)
    """Wall clock, as sinks note it."""
    verdicts: Mapping[Id, Verdict] | None = None
    """By delivery; None: not decided yet."""
    taken: frozenset[Id] = frozenset()
    """The deliveries that it brought a new copy of."""

    def answer(self) -> HandoffResult:
        """What the provider says; when that is nothing, nobody knows what it will do."""
        if self.verdicts is None:
            return self.silence()
        ids = f"{self.provider}-{self.request.handoff_id}" if self.taken else ""
        return HandoffResult(self.verdicts, ids)

    def silence(self) -> HandoffResult:
        """What a worker makes of an answer that it never got."""
        return HandoffResult.for_all(self.request, Verdict(Reading.AMBIGUOUS, answer="gone"))

    def as_received(self) -> Received:
        """As the sinks of the fault matrix note it."""
        taken = [r.address for r in self.request.envelope if r.delivery_id in self.taken]
        return Received(
            handoff_id=str(self.request.handoff_id),
            message_id="",
            recipients=tuple(taken),
            at=self.at,
            step=Step.TAKEN if taken else Step.ENDED,
        )


class Providers:
    """All of them, with everything that ever came to them."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self.now = 0.0
        """Model time, in seconds."""
        self._first_of_key: dict[str, Passage] = {}

    @property
    def undecided(self) -> list[Passage]:
        """What may still be taken."""
        return [passage for passage in self.passages if passage.verdicts is None]

    @property
    def taken(self) -> list[tuple[Passage, Id]]:
        """Each copy of a delivery that a provider has, with how it came."""
        return [
            (p, r.delivery_id)
            for p in self.passages
            for r in p.request.envelope
            if r.delivery_id in p.taken
        ]

    def arrive(self, provider: str, request: HandoffRequest) -> Passage:
        """The final dot, or the request, is there."""
        passage = Passage(provider, request, self.now)
        self.passages.append(passage)
        return passage

    def decide(self, passage: Passage, decision: Decision) -> None:
        """Make something of it, once; a key that is known gets its first answer again."""
        first = self._known(passage)
        if first is not None and Reading.SENT in decision.value:
            passage.verdicts = first.verdicts
            return
        for_one, for_others = decision.value
        ids = [recipient.delivery_id for recipient in passage.request.envelope]
        readings = dict.fromkeys(ids, for_others) | {ids[0]: for_one}
        passage.verdicts = {id_: Verdict(r, answer=r.value) for id_, r in readings.items()}
        if Reading.SENT not in decision.value:
            return
        passage.taken = frozenset(id_ for id_, reading in readings.items() if _takes(reading))
        if passage.provider == KEYED:
            self._first_of_key[passage.request.idempotency_key] = passage

    def copies(self) -> Counter[tuple[Id, Id]]:
        """How often each delivery was taken, by hand-off."""
        return Counter((p.request.handoff_id, id_) for p, id_ in self.taken)

    def _known(self, passage: Passage) -> Passage | None:
        first = self._first_of_key.get(passage.request.idempotency_key)
        if first is None or abs(passage.arrived_at - first.arrived_at) >= KEY_SECONDS:
            return None
        assert _payload(first) == _payload(passage), "another payload under the key"
        return first


def _takes(reading: Reading) -> bool:
    return RULES[reading].outcome in (Outcome.ACCEPTED, Outcome.UNCERTAIN)


def _payload(passage: Passage) -> tuple[Outgoing, tuple[Recipient, ...]]:
    """What a provider sees: the recipients' rows say more, which changes between two tries."""
    request = passage.request
    outgoing = replace(request.outgoing, recipients=_named(request.outgoing.recipients))
    return outgoing, _named(request.envelope)


def _named(recipients: Sequence[Recipient]) -> tuple[Recipient, ...]:
    return tuple(Recipient(r.delivery_id, r.kind, r.address, r.name) for r in recipients)
