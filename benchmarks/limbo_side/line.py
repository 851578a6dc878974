"""A queue that stands in line: all that is due has its turn, and nothing is claimed."""

from notifications.models.prepared import prepared_cursor
from notifications.queue.turns import TURNS

_GIVE = f"""
{TURNS},
arrays AS (
    SELECT array_agg(id) AS ids, array_agg(turn) AS turns FROM given
)
UPDATE notifications_message m SET turn = g.turn, state = m.state -- see Message.list_state
FROM unnest((SELECT ids FROM arrays), (SELECT turns FROM arrays)) g (id, turn)
WHERE m.id = g.id
"""


def give_turns(*, limit: int = 1_000) -> int:
    """Give messages that are due and have no turn theirs, as a claim does; returns how many got it.

    The longest due come first, `limit` of them. Where there may be more, those of the others that
    belong before the last of these get theirs as well, and the rest waits for another call.
    Rows that another is changing at this moment wait for one, too.
    """
    with prepared_cursor() as cursor:
        cursor.execute(_GIVE.format(limit=limit, most=0))
        return int(cursor.rowcount)
