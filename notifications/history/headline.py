"""One sentence for a whole message: how many of its deliveries stand where, and what comes next."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from notifications.models.state import State


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one delivery stands, for counting."""

    state: State
    retry_at: datetime | None = None
    """When a delivery that was tried before is tried again."""
    starts_at: datetime | None = None
    """When a scheduled one is sent."""


class _Words(NamedTuple):
    """How a state is said of a message's only delivery, of all, of one and of some of them."""

    alone: str
    everyone: str
    one: str
    some: str


_WORDS = {
    State.DELIVERED: _Words(
        "Delivered", "Delivered to all {n} recipients", "was delivered", "were delivered"
    ),
    State.SENT: _Words("Sent", "Sent to all {n} recipients", "was sent", "were sent"),
    State.QUEUED: _Words(
        "Taken by the provider",
        "Taken by the provider for all {n} recipients",
        "was taken by the provider",
        "were taken by the provider",
    ),
    State.SENDING: _Words(
        "Being sent", "Being sent to all {n} recipients", "is being sent", "are being sent"
    ),
    State.PENDING: _Words(
        "Waiting to be sent",
        "Waiting to be sent to all {n} recipients",
        "is waiting to be sent",
        "are waiting to be sent",
    ),
    State.SCHEDULED: _Words(
        "Scheduled for later",
        "Scheduled for later, for all {n} recipients",
        "is scheduled for later",
        "are scheduled for later",
    ),
    State.HELD: _Words(
        "Held back", "Held back for all {n} recipients", "is held back", "are held back"
    ),
    State.UNCERTAIN: _Words(
        "Uncertain: the provider may have taken it",
        "Uncertain for all {n} recipients: the provider may have taken it",
        "is uncertain: the provider may have taken it",
        "are uncertain: the provider may have taken them",
    ),
    State.DEFERRED: _Words(
        "Deferred by the recipient's server",
        "Deferred by the servers of all {n} recipients",
        "was deferred by the recipient's server",
        "were deferred by the recipients' servers",
    ),
    State.BOUNCED: _Words("Bounced", "Bounced for all {n} recipients", "bounced", "bounced"),
    State.REJECTED: _Words(
        "The recipient was refused",
        "All {n} recipients were refused",
        "was refused as a recipient",
        "were refused as recipients",
    ),
    State.FAILED: _Words(
        "Refused", "Refused for all {n} recipients", "was refused", "were refused"
    ),
    State.COMPLAINED: _Words(
        "Marked as spam",
        "Marked as spam by all {n} recipients",
        "was marked as spam",
        "were marked as spam",
    ),
    State.DEAD: _Words(
        "Given up", "Given up for all {n} recipients", "was given up", "were given up"
    ),
    State.EXPIRED: _Words(
        "Expired before it was tried",
        "Expired before it was tried, for all {n} recipients",
        "expired before it was tried",
        "expired before they were tried",
    ),
    State.SUPPRESSED: _Words(
        "Not sent: the address is suppressed",
        "Not sent: all {n} addresses are suppressed",
        "was not sent: the address is suppressed",
        "were not sent: the addresses are suppressed",
    ),
    State.CANCELLED: _Words(
        "Cancelled", "Cancelled for all {n} recipients", "was cancelled", "were cancelled"
    ),
}
"""In the order in which a headline tells them: what is well, what is open, what went wrong."""

_SUCCESSES = {
    State.DELIVERED: "Delivered to",
    State.SENT: "Sent to",
    State.QUEUED: "Taken by the provider for",
}
"""What a headline begins with where only some are well."""


def headline(standings: Sequence[Standing], *, now: datetime) -> str:
    """Say how the message stands, such as `Delivered to 2 of 3; one is being sent.`"""
    counts = Counter(standing.state for standing in standings)
    again = _again(standings, now=now)
    if len(counts) == 1:
        state = next(iter(counts))
        if starts_at := standings[0].starts_at:
            return f"Scheduled for {moment(starts_at, now=now)}."
        return _unanimous(state, counts[state], again=again) + "."
    present = [state for state in _WORDS if counts[state]]
    clauses = [_clause(state, counts[state], again=again) for state in present]
    lead = f"Of {len(standings)} recipients "
    if present[0] in _SUCCESSES:
        lead = ""
        clauses[0] = f"{_SUCCESSES[present[0]]} {counts[present[0]]} of {len(standings)}"
    return f"{lead}{'; '.join(clauses)}."


def moment(at: datetime, *, now: datetime) -> str:
    """A moment in words, in UTC: `10:02 UTC` today, `3 May, 10:02 UTC` on another day."""
    day = "" if at.date() == now.date() else f"{at.day} {at:%B}, "
    return f"{day}{at:%H:%M} UTC"


def _again(standings: Sequence[Standing], *, now: datetime) -> str:
    """When the first of the deliveries that were tried before is tried again."""
    times = [standing.retry_at for standing in standings if standing.retry_at]
    return f"will be tried again at {moment(min(times), now=now)}" if times else ""


def _unanimous(state: State, count: int, *, again: str) -> str:
    if state is State.PENDING and again:
        return f"Not sent yet; it {again}"
    words = _WORDS[state]
    return words.alone if count == 1 else words.everyone.format(n=count)


def _clause(state: State, count: int, *, again: str) -> str:
    number = "one" if count == 1 else str(count)
    if state is State.PENDING and again:
        return f"{number} {'is' if count == 1 else 'are'} waiting and {again}"
    words = _WORDS[state]
    return f"{number} {words.one if count == 1 else words.some}"
