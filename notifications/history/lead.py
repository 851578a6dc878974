"""How one delivery stands, to the second: what staff read first on a message's page."""

from dataclasses import replace
from datetime import UTC, datetime

from notifications.history.wording import Facts, what_happened
from notifications.models.state import State

_NOT_YET = {
    State.QUEUED: "not yet known to be delivered",
    State.SENT: "not yet known to be delivered",
    State.DEFERRED: "not yet delivered",
}


def lead(
    state: State, facts: Facts, *, since: datetime, again_at: datetime | None, now: datetime
) -> str:
    """Say it, such as `relay took it at 10:02:11 UTC; not yet known to be delivered`.

    `since` is when it came to stand so, `again_at` when it is tried again.
    """
    happened = what_happened(state, replace(facts, code=None, answer=""))
    at = clock(since, now=now)
    # a time behind several clauses would belong to the last of them
    has_clauses = any(sign in happened for sign in ",:;")
    told = f"{happened} ({at})" if has_clauses else f"{happened} at {at}"
    follows = _NOT_YET.get(state, "")
    if state is State.PENDING:
        follows = f"it will be tried again at {clock(again_at, now=now)}" if again_at else ""
        follows = follows or "it waits for its turn"
    return f"{told}; {follows}" if follows else told


def clock(at: datetime, *, now: datetime) -> str:
    """A moment to the second, in UTC, with its day where that is not today's."""
    at = at.astimezone(UTC)
    day = "" if at.date() == now.astimezone(UTC).date() else f"{at.day} {at:%B %Y}, "
    return f"{day}{at:%H:%M:%S} UTC"
