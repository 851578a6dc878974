"""What the transports' tests share: a message to hand over, and a witness of the commit."""

from dataclasses import replace
from datetime import UTC, datetime

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Outgoing
from notifications.delivery.reading import Reading
from notifications.delivery.recipient import Recipient
from notifications.models.ids import Id, new_id
from notifications.models.lease import boottime

ACCEPTED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def recipient(address: str, *, kind: str = "to", name: str = "") -> Recipient:
    """A delivery's address."""
    return Recipient(new_id(), kind, address, name)


def outgoing(
    *recipients: Recipient,
    subject: str = "Hello",
    text: str = "How are you?\n",
    sender: str = "Ann <ann@example.org>",
    sender_address: str = "ann@example.org",
) -> Outgoing:
    """A message as it leaves."""
    return Outgoing(
        message_id=new_id(),
        header_message_id="<018f.1@limbo.example.org>",
        sender=sender,
        sender_address=sender_address,
        subject=subject,
        text=text,
        accepted_at=ACCEPTED_AT,
        recipients=recipients or (recipient("bob@example.org"),),
    )


def request_for(message: Outgoing, *only: Recipient) -> HandoffRequest:
    """A hand-off of `message` to all of its recipients, or to some."""
    handoff_id = new_id()
    return HandoffRequest(handoff_id, handoff_id, message, only or message.recipients)


def request_to(*addresses: str) -> HandoffRequest:
    """A hand-off of a plain message to `addresses`."""
    return request_for(outgoing(*(recipient(address) for address in addresses)))


def with_text(request: HandoffRequest, text: str) -> HandoffRequest:
    """The same hand-off with another text."""
    return replace(request, outgoing=replace(request.outgoing, text=text))


def soon(seconds: float = 10.0) -> float:
    """A deadline."""
    return boottime() + seconds


def readings(request: HandoffRequest, result: HandoffResult) -> list[Reading]:
    """The readings in the order of the envelope."""
    return [result.verdicts[one.delivery_id].reading for one in request.envelope]


def reading(result: HandoffResult) -> Reading:
    """The one reading that all recipients share."""
    (shared,) = {verdict.reading for verdict in result.verdicts.values()}
    return shared


def answer(result: HandoffResult) -> str:
    """The answer kept for the first recipient."""
    return next(iter(result.verdicts.values())).answer


class Witness:
    """Counts the calls of `commit`; refuses when told to."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.calls = 0
        self._refusal = refusal

    def __call__(self) -> None:
        self.calls += 1
        if self._refusal is not None:
            raise self._refusal


def id_of(request: HandoffRequest) -> Id:
    """The Handoff's id."""
    return request.handoff_id
