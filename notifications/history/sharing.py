"""Links by which people without an account see how a message stands.

The address of a link is its id, signed: what nobody signed is refused without asking the database.
Who follows it is told what the recipient may know: neither bodies nor providers, what they answered
or why; other recipients masked, and those in bcc not at all.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.utils import timezone

from notifications.history.changes import lock_messages
from notifications.models import Delivery, Event, Message, RecipientKind, SharedLink
from notifications.models.errors import LimboError
from notifications.models.state import OPEN, State

MOST_OPEN = 20
"""Links of one message that may be open at once."""

_SIGNER = Signer(salt="limbo.shared-link", sep=".")

_WORDS = {
    State.PENDING: "Waiting to be sent",
    State.SCHEDULED: "To be sent later",
    # why it is held, or whether a look-up is under way, is between the sender and Limbo
    State.HELD: "Waiting to be sent",
    State.SENDING: "Being sent",
    State.UNCERTAIN: "Perhaps sent; this is being found out",
    State.QUEUED: "On its way",
    State.SENT: "On its way",
    State.DEFERRED: "Put off by the recipient's mail server; it is tried again",
    State.DELIVERED: "Taken by the recipient's mail server",
    State.BOUNCED: "Came back from the recipient's mail server",
    State.REJECTED: "The address was refused",
    State.FAILED: "Could not be sent",
    # what one recipient thought of it is not for the others
    State.COMPLAINED: "Taken by the recipient's mail server",
    State.SUPPRESSED: "Not sent to this address",
    State.DEAD: "Could not be sent",
    State.CANCELLED: "Cancelled",
    State.EXPIRED: "Could not be sent in time",
}
_TOLD_AS = {
    State.HELD: State.PENDING,
    State.COMPLAINED: State.DELIVERED,
    State.SUPPRESSED: State.CANCELLED,
}
"""States that are shown as another one."""


class TooManyLinksError(LimboError):
    """The message has as many open links as it may have."""


@dataclass(frozen=True, slots=True)
class Step:
    """When a recipient's delivery last came to be as it is told."""

    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient, as the link tells of it."""

    address: str
    """Masked unless the link is for this recipient."""
    state: State
    words: str
    steps: tuple[Step, ...]
    """In the order of time; each of its words once, for the last time it held."""


@dataclass(frozen=True, slots=True)
class SharedView:
    """What a link shows."""

    message: Message
    recipients: tuple[Told, ...]
    others: tuple[str, ...]
    """Further recipients, masked; nothing is told of them."""
    is_settled: bool
    expires_at: datetime


def share(message: Message, *, delivery: Delivery | None, lasts: timedelta) -> SharedLink:
    """Make a link to one recipient of `message`, or to all. Raises TooManyLinksError.

    Runs in a transaction.
    """
    lock_messages([message.id])
    now = timezone.now()
    open_links = SharedLink.objects.filter(
        message=message, revoked_at=None, expires_at__gt=now
    ).count()
    if open_links >= MOST_OPEN:
        raise TooManyLinksError
    return SharedLink.objects.create(
        owner_id=message.owner_id, message=message, delivery=delivery, expires_at=now + lasts
    )


def revoke_link(link: SharedLink) -> None:
    """Let the link show nothing any more."""
    SharedLink.objects.filter(id=link.id, revoked_at=None).update(revoked_at=timezone.now())


def key_of(link: SharedLink) -> str:
    """The part of its address that opens the link."""
    return _SIGNER.sign(base64.urlsafe_b64encode(link.id.bytes).decode().rstrip("="))


def link_of(key: str) -> SharedLink | None:
    """The link that `key` was signed for, open or not; None for a key that nobody signed."""
    try:
        name = _SIGNER.unsign(key)
    except BadSignature:
        return None
    id_ = UUID(bytes=base64.urlsafe_b64decode(name + "=="))
    links = SharedLink.objects.filter(id=id_, owner__is_active=True)
    return links.select_related("message", "delivery").first()


def masked(address: str) -> str:
    """The address so that who knows it recognises it: `b•••@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def view_of(link: SharedLink) -> SharedView:
    """What `link` shows, in two queries."""
    visible = Q(id=link.delivery_id) | ~Q(kind=RecipientKind.BCC)
    rows = list(Delivery.objects.filter(visible, message=link.message_id).order_by("id"))
    told = [row for row in rows if link.delivery_id in (None, row.id)]
    steps = _steps(told)
    return SharedView(
        message=link.message,
        recipients=tuple(
            _told(row, steps[row.id], is_own=row.id == link.delivery_id) for row in told
        ),
        others=tuple(masked(row.address) for row in rows if row not in told),
        is_settled=all(row.state not in OPEN for row in told),
        expires_at=link.expires_at,
    )


def _told(row: Delivery, steps: tuple[Step, ...], *, is_own: bool) -> Told:
    state = State(row.state)
    return Told(
        address=row.address if is_own else masked(row.address),
        state=_TOLD_AS.get(state, state),
        words=_WORDS[state],
        steps=steps,
    )


def _steps(deliveries: Sequence[Delivery]) -> dict[UUID, tuple[Step, ...]]:
    ids = [delivery.id for delivery in deliveries]
    last: dict[UUID, dict[str, datetime]] = {id_: {} for id_ in ids}
    messages = {delivery.message_id for delivery in deliveries}
    events = Event.objects.filter(message__in=messages, delivery__in=ids, applied=True)
    for event in events.order_by("seq").only("delivery", "kind", "at"):
        if event.kind in State.values and event.delivery_id:
            words = _WORDS[State(event.kind)]
            last[event.delivery_id].pop(words, None)
            last[event.delivery_id][words] = event.at
    return {
        id_: tuple(Step(words, at) for words, at in moments.items())
        for id_, moments in last.items()
    }
