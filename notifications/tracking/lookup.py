"""Which attempt a report is about."""

from collections.abc import Iterable
from uuid import UUID

from notifications.intake.addresses import AddressError, read_mailbox
from notifications.models import Attempt


def find_attempt(
    *, handoff_id: UUID | None, provider_message_id: str, recipient: str
) -> Attempt | None:
    """The attempt of which a provider reports, with its delivery and provider; None if unknown.

    The Handoff is found by its id, which travelled with the message, else by the provider's own id
    of the message (either may be missing); the delivery by the recipient's address.
    """
    attempts = Attempt.objects.select_related("delivery", "handoff__provider")
    if handoff_id is not None:
        return _of_recipient(attempts.filter(handoff=handoff_id), recipient)
    if provider_message_id:
        same = attempts.filter(handoff__provider_message_id=provider_message_id)
        return _of_recipient(same, recipient)
    return None


def _of_recipient(attempts: Iterable[Attempt], recipient: str) -> Attempt | None:
    """The one to `recipient`, or the only one where the report names nobody."""
    candidates = list(attempts)
    if not recipient:
        return candidates[0] if len(candidates) == 1 else None
    wanted = _comparable(recipient)
    same = (one for one in candidates if _comparable(one.delivery.address) == wanted)
    return next(same, None)


def _comparable(address: str) -> str:
    """An address as providers may spell it: in other letters' case, or its domain in Punycode."""
    try:
        return read_mailbox(address).address.casefold()
    except AddressError:
        return address.casefold()
