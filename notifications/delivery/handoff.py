"""What a transport is given and what it answers."""

from collections.abc import Callable, Mapping
from typing import Protocol

from notifications.delivery.extras import Extras
from notifications.delivery.reading import Reading
from notifications.delivery.recipient import Recipient
from notifications.models.ids import Id
from notifications.models.record import record

ID_CHARACTERS = 500
"""So much of a provider's message id is kept; PostgreSQL's indexes take some 2,700 octets."""


def storable(text: str) -> str:
    """`text` without NUL, which PostgreSQL's text cannot hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@record
class Outgoing:
    """A message as it leaves: the same on every attempt."""

    message_id: Id
    header_message_id: str
    sender: str
    sender_address: str
    subject: str
    text: str
    accepted_at: float
    """In seconds of Unix's time."""
    recipients: tuple[Recipient, ...]
    """Everyone the headers name (Bcc included, which never gets into a header)."""
    extras: Extras | None = None
    is_test: bool = False
    """Whether it goes into the sandbox, and nowhere else."""


@record
class HandoffRequest:
    """One hand-off: the message, and the recipients of this one."""

    handoff_id: Id
    idempotency_key: str
    outgoing: Outgoing
    envelope: tuple[Recipient, ...]
    is_repeat: bool = False
    """It is in doubt and repeated under the same key: the provider must know that it takes one."""

    @property
    def is_partial(self) -> bool:
        """Whether it leaves out some of those whom the headers name."""
        return len(self.envelope) < len(self.outgoing.recipients)


@record
class Verdict:
    """What the provider's answer means for one recipient, with the answer itself."""

    reading: Reading
    code: int | None = None
    answer: str = ""

    def __post_init__(self) -> None:
        """Drop what the database cannot store; a server may say anything, and no batch may break.

        A reply that does not begin with a number has the code -1 in the standard library.
        """
        if self.code is not None and self.code <= 0:
            object.__setattr__(self, "code", None)
        if "\0" in self.answer:
            object.__setattr__(self, "answer", storable(self.answer))


@record
class HandoffResult:
    """How a hand-off ended for each of its recipients, keyed by delivery."""

    verdicts: Mapping[Id, Verdict]
    provider_message_id: str = ""
    retry_after: float | None = None
    """Seconds the provider asked us to wait before anything else."""

    def __post_init__(self) -> None:
        """Drop what the database cannot store or index of the provider's id."""
        id_ = self.provider_message_id
        if "\0" in id_ or len(id_) > ID_CHARACTERS:
            object.__setattr__(self, "provider_message_id", storable(id_)[:ID_CHARACTERS])

    @classmethod
    def for_all(
        cls, request: HandoffRequest, verdict: Verdict, *, retry_after: float | None = None
    ) -> "HandoffResult":
        """The same verdict for every recipient."""
        verdicts = {recipient.delivery_id: verdict for recipient in request.envelope}
        return cls(verdicts=verdicts, retry_after=retry_after)


NO_REPEAT = Verdict(Reading.NOT_BEGUN, answer="this provider knows no repeat from a new message")
"""What a transport answers to a repeat where a repeat may be a second message."""


Following = Callable[[], HandoffRequest | None]
"""Tells a transport which hand-off it will be given next, if that is clear already."""


def nobody_knows() -> None:
    """No hand-off is known to follow."""


class Transport(Protocol):
    """A way to one provider. Used by one thread at a time; it may keep its connection open."""

    separates_envelope: bool
    """Whether it can send to some of the recipients under unchanged headers."""

    def send(
        self,
        request: HandoffRequest,
        *,
        commit: Callable[[], None],
        deadline: float,
        following: Following = nobody_knows,
    ) -> HandoffResult:
        """Hand the message over.

        `commit` is called once, just before the first write that may carry the final dot or the
        HTTP request; what it raises means that nothing was sent, and passes through. `deadline`
        bounds the whole, in seconds of `boottime()`. Expected failures are verdicts, not
        exceptions. A repeat that may be a second message is not sent. What is known to be
        `following` may be announced to the provider with this message's end; it is given to another
        transport if the provider turns out to fail.
        """

    def close_if_idle(self) -> None:
        """Let go of the connection if nothing was sent over it for a while."""

    def close(self) -> None:
        """Let go of the connection."""
