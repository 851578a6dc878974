"""The states of a delivery, and every step that is allowed between them.

The database enforces this table by a trigger (see `triggers.py`); a message's own state is derived
from its deliveries' by `RANK`.
"""

from django.db import models


class State(models.TextChoices):
    """Where a delivery stands; the names of tracking's states are Anymail's event types."""

    PENDING = "pending", "waiting to be sent"
    SCHEDULED = "scheduled", "scheduled for later"
    HELD = "held", "held back"
    SENDING = "sending", "being sent"
    UNCERTAIN = "uncertain", "uncertain"
    QUEUED = "queued", "taken by the provider"
    SENT = "sent", "sent"
    DEFERRED = "deferred", "deferred by the recipient's server"
    DELIVERED = "delivered", "delivered"
    BOUNCED = "bounced", "bounced"
    REJECTED = "rejected", "refused for this recipient"
    FAILED = "failed", "refused"
    COMPLAINED = "complained", "marked as spam"
    SUPPRESSED = "suppressed", "suppressed"
    DEAD = "dead", "given up"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired before it was tried"


OPEN = (State.PENDING, State.SCHEDULED, State.HELD, State.SENDING, State.UNCERTAIN)
SETTLED = tuple(state for state in State if state not in OPEN)

INITIAL = (State.PENDING, State.SCHEDULED, State.HELD, State.SUPPRESSED)

DEAD_LETTER = (State.DEAD, State.FAILED, State.REJECTED, State.EXPIRED)
"""Ended without success: what support staff look after."""

REQUEUEABLE = (
    State.UNCERTAIN,
    State.DEAD,
    State.FAILED,
    State.REJECTED,
    State.BOUNCED,
    State.EXPIRED,
    State.SUPPRESSED,
    State.CANCELLED,
)
"""From these a recorded choice may start a new generation, as `pending`."""

CANCELLABLE = (State.PENDING, State.SCHEDULED, State.HELD)

TRACKING = (
    State.DEFERRED,
    State.DELIVERED,
    State.BOUNCED,
    State.REJECTED,
    State.COMPLAINED,
    State.FAILED,
)
"""What a provider may report after it took a message."""

_WAITING_STEPS = (State.PENDING, State.SUPPRESSED, State.CANCELLED, State.EXPIRED)
_TAKEN_STEPS = (State.SENT, *TRACKING)

TRANSITIONS: dict[State, tuple[State, ...]] = {
    State.SCHEDULED: _WAITING_STEPS,
    State.HELD: _WAITING_STEPS,
    State.PENDING: (
        State.SENDING,
        State.FAILED,
        State.HELD,
        State.SUPPRESSED,
        State.CANCELLED,
        State.EXPIRED,
        State.DEAD,
    ),
    State.SENDING: (State.QUEUED, State.SENT, *TRACKING, State.PENDING, State.UNCERTAIN),
    State.UNCERTAIN: (State.QUEUED, State.SENT, *TRACKING, State.PENDING, State.DEAD),
    State.QUEUED: _TAKEN_STEPS,
    State.SENT: TRACKING,
    State.DEFERRED: tuple(state for state in _TAKEN_STEPS if state != State.DEFERRED),
    State.DELIVERED: (State.BOUNCED, State.COMPLAINED),
}
"""Legal steps within one generation; requeue is the only other one."""

RANK = (
    State.UNCERTAIN,
    State.SENDING,
    State.PENDING,
    State.SCHEDULED,
    State.HELD,
    State.FAILED,
    State.DEAD,
    State.REJECTED,
    State.BOUNCED,
    State.EXPIRED,
    State.COMPLAINED,
    State.DEFERRED,
    State.QUEUED,
    State.SENT,
    State.DELIVERED,
    State.SUPPRESSED,
    State.CANCELLED,
)
"""A message's state is the first of these that one of its deliveries is in."""
