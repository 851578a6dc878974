"""The event feed: a user's events in the order of their positions, which a reader can follow.

Positions have no gaps and are never changed afterwards, so whoever asks for what comes after the
last position it has seen misses nothing, however late a transaction commits.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max

from notifications.history.positions import sequence_events
from notifications.history.rows import fetch_rows
from notifications.models import Event, EventPosition, User
from notifications.models.errors import LimboError

STEP_SECONDS = 0.25
"""How often a waiting reader looks."""

# Rows are compared as pairs, and the owner is not asked for by =, so that only the index by owner
# gives the order. Else the planner takes the key for a user who has many events, of whom it expects
# one nearby, and reads through all that others have done since.
PLACES = """
SELECT position, event_id FROM notifications_eventposition
WHERE (owner_id, position) > (%(owner)s, %(after)s) AND owner_id <= %(owner)s
ORDER BY owner_id, position LIMIT %(limit)s
"""


class UnknownPositionError(LimboError):
    """A reader asks for what comes after a position that nothing has reached yet."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A stretch of one user's events, oldest first."""

    events: Sequence[Event]
    """Each with its message and its delivery loaded."""
    position: int
    """Where the next stretch begins: nothing of this user's lies between."""
    has_more: bool


def read_feed(owner: User, *, after: int, limit: int, wait: float = 0.0) -> Feed:
    """The first `limit` events of `owner`'s after the position `after`.

    If there is none it looks again for up to `wait` seconds. Events that were committed before the
    call are among them. Runs outside any transaction, in three queries and two for each look again.

    Raises UnknownPositionError for an `after` that lies beyond all events, as after a restored
    backup: a reader who waited there would miss whatever comes until then.
    """
    feed = _stretch(owner, after, limit)
    if not feed.events and after > end_of_feed():
        raise UnknownPositionError
    until = time.monotonic() + wait
    while not feed.events and (left := until - time.monotonic()) > 0:
        time.sleep(min(STEP_SECONDS, left))
        feed = _stretch(owner, after, limit)
    return feed


def end_of_feed() -> int:
    """The last position there is, after everything that is committed; 0 before the first event."""
    sequence_events()
    return EventPosition.objects.aggregate(last=Max("position"))["last"] or 0


def _stretch(owner: User, after: int, limit: int) -> Feed:
    sequence_events()
    # one more than is shown tells whether there is more
    found = fetch_rows(PLACES, {"owner": owner.pk, "after": after, "limit": limit + 1})
    shown = found[:limit]
    events = Event.objects.select_related("delivery").in_bulk([event_id for _, event_id in shown])
    return Feed(
        events=[events[event_id] for _, event_id in shown],
        position=shown[-1][0] if shown else after,
        has_more=len(found) > limit,
    )
