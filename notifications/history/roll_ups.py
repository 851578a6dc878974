"""The roll-ups: counts by hour and by minute, kept up as events come.

Nobody ever counts events again.
"""

from django.db import connection

from notifications.history.following import next_stretch
from notifications.models import State

NAME = "roll-ups"

ACCEPTED = "accepted"
"""The kind of a message's first event; the other kinds that are counted are states."""

KINDS = (ACCEPTED, *State.values)

_LIMIT = 2000
"""Positions in one transaction, where nobody says otherwise."""

RECENT_KINDS = (ACCEPTED, State.QUEUED, State.SENT, State.DELIVERED, State.BOUNCED)
"""What is also counted by the minute."""

_RECENT = "interval '2 hours'"
"""For how long counts by the minute are kept."""

# Events that count alike are counted first, and then by what they count for. In the keys' order, so
# that rows are found and written side by side.
_COUNT = f"""
WITH alike AS MATERIALIZED (
    SELECT p.owner_id, date_trunc('minute', e.at) AS minute, e.kind,
        e.data->>'provider' AS provider, m.tags, count(*) AS count
    FROM notifications_eventposition p
    JOIN notifications_event e ON e.id = p.event_id
    JOIN notifications_message m ON m.id = e.message_id
    WHERE p.position > %(after)s AND p.position <= %(until)s
        AND e.applied AND e.kind = ANY(%(kinds)s) AND NOT m.is_test
    GROUP BY 1, 2, 3, 4, 5
), counted AS MATERIALIZED (
    SELECT owner_id, minute, d.dimension, d.name, kind, sum(count) AS count
    FROM alike CROSS JOIN LATERAL (
        SELECT 'all' AS dimension, '' AS name
        UNION ALL
        SELECT 'provider', provider WHERE provider <> ''
        UNION ALL
        SELECT DISTINCT 'tag', tag FROM unnest(tags) tag
    ) d
    GROUP BY 1, 2, 3, 4, 5
), recent AS (
    INSERT INTO notifications_recentrollup AS r (minute, owner_id, name, kind, count)
    SELECT minute, owner_id, name, kind, count FROM counted
    WHERE minute > now() - {_RECENT} AND kind = ANY(%(recent)s)
        AND dimension = CASE kind WHEN '{ACCEPTED}' THEN 'all' ELSE 'provider' END
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (minute, owner_id, name, kind) DO UPDATE SET count = r.count + excluded.count
), old AS (
    DELETE FROM notifications_recentrollup WHERE minute <= now() - {_RECENT}
)
INSERT INTO notifications_rollup AS r (owner_id, hour, dimension, name, kind, count)
SELECT owner_id, date_trunc('hour', minute, 'UTC'), dimension, name, kind, sum(count)
FROM counted
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
ON CONFLICT (owner_id, hour, dimension, name, kind)
DO UPDATE SET count = r.count + excluded.count
"""  # noqa: S608 - made of constants


def count_events(*, limit: int | None = None) -> int:
    """Count the next events that have a position; returns how many positions were read.

    Runs outside any transaction. 0 also while another process counts.
    """
    with next_stretch(NAME, limit=limit or _LIMIT) as stretch:
        if stretch is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                _COUNT,
                {
                    "after": stretch.after,
                    "until": stretch.until,
                    "kinds": list(KINDS),
                    "recent": list(RECENT_KINDS),
                },
            )
        return stretch.until - stretch.after
