"""A transport that sends nothing: the recipient's address tells what it answers.

`bounced@limbo.test` bounces, and so does `bounced+order-17@limbo.test`; to any other address a
message is delivered. The domain cannot exist outside (RFC 6761, section 6.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from notifications.delivery.handoff import (
    Following,
    HandoffRequest,
    HandoffResult,
    Verdict,
    nobody_knows,
)
from notifications.delivery.reading import Reading
from notifications.delivery.transports.letter import write_letter
from notifications.models.state import State

DOMAIN = "limbo.test"
"""Of the addresses that choose what happens."""


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to a test message for one recipient."""

    verdict: Verdict
    reports: tuple[tuple[State, str], ...] = ()
    """What is reported after it was taken, with the words."""


_TAKEN = Verdict(Reading.SENT, 250, "2.0.0 The sandbox has it, and sends it to nobody")
_DELIVERED = (State.DELIVERED, "250 2.0.0 In a mailbox that does not exist")
_USUAL = Script(_TAKEN, (_DELIVERED,))

SCRIPTS: Mapping[str, Script] = {
    "delivered": _USUAL,
    "deferred": Script(_TAKEN, ((State.DEFERRED, "451 4.7.1 Try again later"),)),
    "bounced": Script(_TAKEN, ((State.BOUNCED, "550 5.1.1 There is no such mailbox"),)),
    "complained": Script(_TAKEN, (_DELIVERED, (State.COMPLAINED, "Its reader called it spam"))),
    "rejected": Script(
        Verdict(Reading.RECIPIENT_REFUSED, 550, "5.1.1 The sandbox refuses this recipient")
    ),
    "failed": Script(
        Verdict(Reading.MESSAGE_REFUSED, 554, "5.6.0 The sandbox refuses this message")
    ),
    "uncertain": Script(
        Verdict(Reading.AMBIGUOUS, answer="The sandbox broke off before it answered")
    ),
}
"""By the part before the @."""


def script_for(address: str) -> Script:
    """What happens to a test message to `address`."""
    local, _, domain = address.lower().rpartition("@")
    return SCRIPTS.get(local.partition("+")[0], _USUAL) if domain == DOMAIN else _USUAL


class SandboxTransport:
    """The way to nobody."""

    separates_envelope = True

    def send(
        self,
        request: HandoffRequest,
        *,
        commit: Callable[[], None],
        deadline: float,
        following: Following = nobody_knows,
    ) -> HandoffResult:
        """Build the message as if it went out, and answer as its recipients' addresses say."""
        write_letter(request)
        commit()
        verdicts = {
            recipient.delivery_id: script_for(recipient.address).verdict
            for recipient in request.envelope
        }
        id_ = request.handoff_id.replace("-", "")
        return HandoffResult(verdicts, provider_message_id=f"sandbox-{id_}")

    def close_if_idle(self) -> None:
        """There is no connection."""

    def close(self) -> None:
        """There is no connection."""
