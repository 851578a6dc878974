"""One sentence for a whole message: how many of its deliveries stand where, and what comes next."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notifications.models.state import State


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one delivery stands, for counting."""

    state: State
    retry_at: datetime | None = None
    """When a delivery that was tried before is tried again."""


@dataclass(frozen=True, slots=True)
class _Words:
    """How a state is said of a whole message, of one of its deliveries and of several."""

    lead: str
    one: str
    many: str
    preposition: str = "for"


_WORDS = {
    State.DELIVERED: _Words("Delivered", "was delivered", "were delivered", "to"),
    State.SENT: _Words("Sent", "was sent", "were sent", "to"),
    State.QUEUED: _Words(
        "Taken by the provider", "was taken by the provider", "were taken by the provider"
    ),
    State.SENDING: _Words("Being sent", "is being sent", "are being sent", "to"),
    State.PENDING: _Words(
        "Waiting to be sent", "is waiting to be sent", "are waiting to be sent", "to"
    ),
    State.SCHEDULED: _Words("Scheduled", "is scheduled for later", "are scheduled for later"),
    State.HELD: _Words("Held back", "is held back", "are held back"),
    State.UNCERTAIN: _Words(
        "Uncertain: the provider may have taken it",
        "is uncertain: the provider may have taken it",
        "are uncertain: the provider may have taken them",
    ),
    State.DEFERRED: _Words(
        "Deferred by the recipient's server",
        "was deferred by the recipient's server",
        "were deferred by the recipients' servers",
    ),
    State.BOUNCED: _Words("Bounced", "bounced", "bounced"),
    State.REJECTED: _Words(
        "Refused for the recipient",
        "was refused for the recipient",
        "were refused for the recipients",
    ),
    State.FAILED: _Words("Refused", "was refused", "were refused"),
    State.COMPLAINED: _Words(
        "Marked as spam", "was marked as spam", "were marked as spam", preposition="by"
    ),
    State.DEAD: _Words("Given up", "was given up", "were given up"),
    State.EXPIRED: _Words(
        "Expired before it was tried",
        "expired before it was tried",
        "expired before they were tried",
    ),
    State.SUPPRESSED: _Words(
        "Not sent: the address is suppressed",
        "was not sent, the address is suppressed",
        "were not sent, the addresses are suppressed",
    ),
    State.CANCELLED: _Words("Cancelled", "was cancelled", "were cancelled"),
}
"""In the order in which a headline tells them: what is well, what is open, what went wrong."""

_LEADING = (State.DELIVERED, State.SENT, State.QUEUED)
_ALWAYS_ALL = (State.UNCERTAIN, State.SUPPRESSED)


def headline(standings: Sequence[Standing], *, now: datetime) -> str:
    """Say how the message stands, such as `Delivered to 2 of 3; one is being sent.`"""
    counts = Counter(standing.state for standing in standings)
    again = _again(standings, now=now)
    if len(counts) == 1:
        state = next(iter(counts))
        return _unanimous(state, counts[state], again=again) + "."
    present = [state for state in _WORDS if counts[state]]
    clauses = [_clause(state, counts[state], again=again) for state in present]
    if present[0] in _LEADING:
        words = _WORDS[present[0]]
        clauses[0] = f"{words.lead} {words.preposition} {counts[present[0]]} of {len(standings)}"
        return "; ".join(clauses) + "."
    return f"Of {len(standings)} recipients " + "; ".join(clauses) + "."


def moment(at: datetime, *, now: datetime) -> str:
    """A moment in words, in UTC: `10:02 UTC` today, `3 May, 10:02 UTC` on another day."""
    day = "" if at.date() == now.date() else f"{at.day} {at:%B}, "
    return f"{day}{at:%H:%M} UTC"


def _again(standings: Sequence[Standing], *, now: datetime) -> str:
    """The tail for waiting deliveries: when the first of those tried before is tried again."""
    times = [standing.retry_at for standing in standings if standing.retry_at]
    return f"will be tried again at {moment(min(times), now=now)}" if times else ""


def _unanimous(state: State, count: int, *, again: str) -> str:
    words = _WORDS[state]
    if state is State.PENDING and again:
        return f"Not sent yet; it {again}"
    if count == 1:
        return words.lead
    if state in _ALWAYS_ALL:
        return f"All {count} recipients: {words.lead[0].lower()}{words.lead[1:]}"
    return f"{words.lead} {words.preposition} all {count} recipients"


def _clause(state: State, count: int, *, again: str) -> str:
    words = _WORDS[state]
    number = "one" if count == 1 else str(count)
    if state is State.PENDING and again:
        return f"{number} {'is' if count == 1 else 'are'} waiting and {again}"
    return f"{number} {words.one if count == 1 else words.many}"
