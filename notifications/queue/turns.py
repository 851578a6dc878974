"""Turns: the places in the queue, given to whatever is due and has none.

A message is stored without a turn: to give it one there, each submission would have to wait until
its owner's last one is committed. It gets it here, with all others that have come since; and so
does what becomes due later, after a wait, a choice to repeat, or a worker's death. All by the same
rule, so that a storm of one user's retries passes nobody else's mail. What is cancelled gives its
place back.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from notifications.models.fair_share import CLOCK_ID, OFFSET_SQL
from notifications.models.ids import AnyId
from notifications.models.lease import RENEWED
from notifications.models.prepared import prepared_cursor

TURNS_LIMIT = 1_000
"""Of the longest due, so many in one call: a hundredth of a second's work."""

_SHARES_LIMIT = 10_000
"""Of the others' next ones, so many in one call: a tenth of a second's work."""

_GIVING = 7_420_181
"""The advisory lock of whoever gives turns: two at once could turn one user's messages around."""

IN_LINE = "turn IS NOT NULL AND due_at IS NOT NULL AND lease_until IS NULL"
"""In SQL, the messages that have their turn and are not claimed: the index message_turn's."""

_TURNLESS = "turn IS NULL AND due_at IS NOT NULL AND lease_until IS NULL"
_DUE = f"{_TURNLESS} AND due_at <= now() AND state <> 'scheduled'"
_COLUMNS = f"id, owner_id, priority, due_at, deaths, {OFFSET_SQL} AS shift"

# The lock is asked for before a row is looked for. What has come meanwhile, or is locked, is left
# to the next call.
_LONGEST_DUE = f"""
due AS (
    SELECT {_COLUMNS} FROM notifications_message
    WHERE (SELECT pg_try_advisory_xact_lock({_GIVING})) AND {_DUE}
    ORDER BY due_at, id
    LIMIT {{limit}}
    FOR NO KEY UPDATE SKIP LOCKED
)
"""  # noqa: S608 - made of constants

# Each share's next ones, as far as they belong among the next `limit` in line. `shares` leaps from
# one to the next in the index message_share; rows are compared as a whole, so that no other index
# will do.
_NEXT_DUE = f"""
shares AS (
    (
        SELECT owner_id, priority FROM notifications_message
        WHERE (SELECT pg_try_advisory_xact_lock({_GIVING})) AND {_TURNLESS}
        ORDER BY owner_id, priority LIMIT 1
    )
    UNION ALL
    SELECT following.* FROM shares s, LATERAL (
        SELECT owner_id, priority FROM notifications_message
        WHERE {_TURNLESS} AND (owner_id, priority) > (s.owner_id, s.priority)
        ORDER BY owner_id, priority LIMIT 1
    ) following
),
next_shares AS (
    SELECT * FROM (
        SELECT owner_id, priority, greatest(finish, clock.turn) + {OFFSET_SQL} AS next_turn
        FROM shares LEFT JOIN notifications_fairshare USING (owner_id, priority), clock
    ) s
    WHERE next_turn < (
        SELECT turn FROM notifications_message WHERE {IN_LINE}
        ORDER BY turn, id OFFSET {{limit}} - 1 LIMIT 1
    )
    ORDER BY next_turn
),
due AS (
    SELECT m.* FROM next_shares s, LATERAL (
        SELECT {_COLUMNS} FROM notifications_message
        WHERE (owner_id, priority) >= (s.owner_id, s.priority)
            AND (owner_id, priority, due_at) <= (s.owner_id, s.priority, now()) AND {_DUE}
        ORDER BY owner_id, priority, due_at, id LIMIT {{limit}} FOR NO KEY UPDATE SKIP LOCKED
    ) m
    LIMIT {_SHARES_LIMIT}
)
"""  # noqa: S608 - made of constants

# Where nobody stands in line and all that is due fits a batch, it is claimed here at once, and its
# rows are written once. The clock then goes where the claim of them all would put it. A message
# that was with a worker that died is left to the claim, which takes it alone.
#
# The statement is planned once: see `queue.claim` for why the limits are part of its text, and why
# what is updated comes as arrays.
_GIVE = f"""
WITH RECURSIVE clock AS (
    SELECT coalesce(
        (SELECT turn FROM notifications_queueclock WHERE id = {CLOCK_ID}), 0
    ) AS turn
),
{{due}},
placed AS (
    SELECT due.*, sum(cost) OVER line - cost AS before, sum(cost) OVER share AS total
    FROM due, LATERAL (
        SELECT greatest(count(*), 1) AS cost FROM notifications_delivery d
        WHERE d.message_id = due.id AND d.due_at <= now()
    ) d
    WINDOW share AS (PARTITION BY owner_id, priority), line AS (share ORDER BY due_at, id)
),
moved AS (
    INSERT INTO notifications_fairshare AS f (owner_id, priority, finish)
    SELECT DISTINCT owner_id, priority, clock.turn + total FROM placed, clock ORDER BY 1, 2
    ON CONFLICT (owner_id, priority) DO UPDATE
    SET finish = excluded.finish + greatest(f.finish - (SELECT turn FROM clock), 0)
    RETURNING owner_id, priority, finish
),
given AS (
    SELECT id, shift, finish - total + before AS start FROM (
        SELECT *, max(moved_to) OVER (PARTITION BY owner_id, priority) AS finish FROM (
            SELECT owner_id, priority, id, shift, before, total, NULL AS moved_to FROM placed
            UNION ALL
            SELECT owner_id, priority, NULL, NULL, NULL, NULL, finish FROM moved
        ) mixed
    ) joined WHERE id IS NOT NULL
),
batch AS (
    SELECT count(*) BETWEEN 1 AND {{most}} AND max(deaths) = 0 AND NOT EXISTS (
        SELECT FROM notifications_message WHERE {IN_LINE}
    ) AS is_all
    FROM due
),
moved_clock AS (
    INSERT INTO notifications_queueclock AS c (id, turn)
    SELECT {CLOCK_ID}, max(start) FROM given WHERE (SELECT is_all FROM batch) HAVING count(*) > 0
    ON CONFLICT (id) DO UPDATE SET turn = excluded.turn WHERE c.turn < excluded.turn
),
arrays AS (
    SELECT array_agg(id) AS ids, array_agg((start + shift)::bigint) AS turns FROM given
)
UPDATE notifications_message m
SET turn = g.turn,
    lease_token = CASE WHEN (SELECT is_all FROM batch) THEN %(token)s::uuid END,
    lease_until = CASE WHEN (SELECT is_all FROM batch) THEN {RENEWED} END
FROM unnest((SELECT ids FROM arrays), (SELECT turns FROM arrays)) g (id, turn)
WHERE m.id = g.id
RETURNING m.turn, m.id, m.lease_until IS NOT NULL
"""  # noqa: S608 - made of constants


_SHARES = """
(owner_id, priority) IN (
    SELECT owner_id, priority FROM notifications_message WHERE id = ANY(%(ids)s)
)
"""

# The states say only which index to use: a message that has a turn is in one of them.
_GIVE_BACK = f"""
UPDATE notifications_fairshare f SET finish = least(finish, coalesce((
    SELECT max(turn - {OFFSET_SQL}) + 1 FROM notifications_message m
    WHERE m.owner_id = f.owner_id AND m.priority = f.priority AND m.turn IS NOT NULL
        AND m.state IN ('pending', 'sending', 'uncertain')
), 0))
WHERE {_SHARES}
"""  # noqa: S608 - made of constants


def give_turns(*, limit: int = TURNS_LIMIT) -> int:
    """Give messages that are due and have no turn theirs; returns how many got one.

    The longest due come first, `limit` of them. Where there may be more, those of the others that
    belong among the next `limit` in line get theirs as well, and the rest waits for another call.
    Rows that another is changing at this moment wait for one, too.
    """
    given = len(_give(_LONGEST_DUE, limit))
    return given if given < limit else given + len(_give(_NEXT_DUE, limit))


def give_turns_or_claim(token: UUID, *, most: int) -> list[UUID]:
    """Give turns, and claim these messages under `token` if they are all that waits.

    Returns what it claimed, in the order of their turns: nothing where there are more than `most`,
    or some stood in line before. Then a claim of `most` takes what it would if all had their turns.
    One statement, and another where more is due.
    """
    # one more, to see whether there are more
    rows = _give(_LONGEST_DUE, most + 1, token, most)
    if len(rows) > most:
        _give(_NEXT_DUE, most)
    return [message_id for _, message_id, is_claimed in rows if is_claimed]


def _give(
    due: str, limit: int, token: UUID | None = None, most: int = 0
) -> list[tuple[int, UUID, bool]]:
    statement = _GIVE.format(due=due.format(limit=limit), most=most)
    with prepared_cursor() as cursor:
        cursor.execute(statement, {"token": token})
        return sorted(cursor.fetchall())


def give_back_turns(message_ids: Sequence[AnyId]) -> None:
    """Let the next messages of these messages' owners stand right behind what they have in line.

    For messages that were cancelled in this transaction: nobody is to wait behind his own mail that
    will never go.
    """
    with connection.cursor() as cursor:
        # locked first: the turns that whoever holds the share is giving must be seen below
        cursor.execute(
            f"""
            SELECT 1 FROM notifications_fairshare WHERE {_SHARES}
            ORDER BY owner_id, priority FOR NO KEY UPDATE
            """,  # noqa: S608 - made of constants
            {"ids": list(message_ids)},
        )
        cursor.execute(_GIVE_BACK, {"ids": list(message_ids)})
