"""Turns: the places in the queue, given to whatever is due and has none.

A message is stored without a turn: to give it one there, each submission would have to wait until
its owner's last one is committed. It gets it here, with all others that have come since; and so
does what becomes due later, after a wait, a choice to repeat, or a worker's death. All by the same
rule, so that a storm of one user's retries passes nobody else's mail. What is cancelled gives its
place back.
"""

from collections.abc import Sequence

from django.db import connection

from notifications.models.fair_share import CLOCK_ID, OFFSET_SQL
from notifications.models.ids import AnyId

_SHARES_LIMIT = 10_000
"""Of the others' next ones, so many in one claim: a tenth of a second's work."""

GIVING = 7_420_181
"""The advisory lock of whoever gives turns: two at once could turn one user's messages around."""

_IN_LINE = "turn IS NOT NULL AND due_at IS NOT NULL AND lease_until IS NULL"
_TURNLESS = "turn IS NULL AND due_at IS NOT NULL AND lease_until IS NULL"
_DUE = f"{_TURNLESS} AND due_at <= now() AND state <> 'scheduled'"
_COLUMNS = f"id, owner_id, priority, due_at, deaths, {OFFSET_SQL} AS shift"
# an integer: sums of bigints are numeric, which takes longer to reckon with
_COST = """(
    SELECT greatest(count(*), 1)::int FROM notifications_delivery
    WHERE message_id = due.id AND due_at <= now()
) AS cost"""

# What a statement begins with that gives turns: `line` is what stood in line before, and `given`
# what gets its turn. It is planned once, for any parameters. So each limit is part of its text, or
# it would be taken for a tenth of all that waits; one that depends on what is found has such a one
# within. And what is updated should come as arrays, which are thought to be short: to join a batch
# that is thought to be long, the whole table would be read.
#
# `line` asks for what the index message_turn holds, in its order: one scan, and no sort, however
# long it is. `longest` fills up to `limit` what it found, and is half as many in any case: bulk
# mail, whose turn is never among the next while others' mail comes, has to get one all the same.
# The lock is asked for before a row is looked for. What has come meanwhile, or is locked, is left
# to the next call.
#
# Only where more may be due, `others` are each share's next ones after these, as far as they belong
# among the first `limit` in line. `shares` leaps from one to the next in the index message_share;
# rows are compared as a whole, so that no other index will do. It leaps backwards, from each
# share's newest: at the other end the index still has all that was just claimed, to be passed over.
#
# `reach` is what a message and those of its share before it cost: so long after the start of what
# its share gets here it ends. As that is the order of the scan, hardly anything is left to sort.
TURNS = f"""
WITH RECURSIVE clock AS (
    SELECT coalesce(
        (SELECT turn FROM notifications_queueclock WHERE id = {CLOCK_ID}), 0
    ) AS turn
),
giving AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock({GIVING}) AS is_mine
),
line AS (
    SELECT id, turn, deaths, {OFFSET_SQL} AS shift FROM notifications_message
    WHERE {_IN_LINE}
    ORDER BY turn, id
    LIMIT {{most}}
    FOR NO KEY UPDATE SKIP LOCKED
),
room AS (
    SELECT greatest({{limit}} - count(*), ({{limit}} + 1) / 2) AS count FROM line
),
longest AS (
    SELECT due.*, {_COST} FROM (
        SELECT {_COLUMNS} FROM notifications_message
        WHERE (SELECT is_mine FROM giving) AND {_DUE}
        ORDER BY due_at, id
        LIMIT {{limit}}
        FOR NO KEY UPDATE SKIP LOCKED
    ) due
    LIMIT (SELECT count FROM room)
),
last AS (
    SELECT due_at, id FROM longest WHERE (SELECT count(*) FROM longest) = (SELECT count FROM room)
    ORDER BY due_at DESC, id DESC LIMIT 1
),
shares AS (
    (
        SELECT owner_id, priority FROM notifications_message
        WHERE EXISTS (SELECT FROM last) AND {_TURNLESS}
        ORDER BY owner_id DESC, priority DESC LIMIT 1
    )
    UNION ALL
    SELECT following.* FROM shares s, LATERAL (
        SELECT owner_id, priority FROM notifications_message
        WHERE {_TURNLESS} AND (owner_id, priority) < (s.owner_id, s.priority)
        ORDER BY owner_id DESC, priority DESC LIMIT 1
    ) following
),
next_shares AS (
    SELECT owner_id, priority, taken, taken + {OFFSET_SQL} + greatest(clock.turn, (
        SELECT finish FROM notifications_fairshare f
        WHERE f.owner_id = s.owner_id AND f.priority = s.priority
    )) AS next_turn
    FROM (
        SELECT owner_id, priority, sum(cost) AS taken FROM (
            SELECT owner_id, priority, 0 AS cost FROM shares
            UNION ALL
            SELECT owner_id, priority, cost FROM longest
        ) mixed GROUP BY owner_id, priority
    ) s, clock
),
place AS (
    SELECT greatest(max(turn), CASE WHEN count(*) < {{limit}} THEN (
        SELECT max(next_turn) - 1 FROM next_shares WHERE taken > 0
    ) END) AS turn FROM line
),
others AS (
    SELECT due.*, {_COST} FROM (
        SELECT * FROM next_shares, place WHERE next_turn < turn ORDER BY next_turn
    ) s, last, LATERAL (
        SELECT * FROM (
            SELECT {_COLUMNS} FROM notifications_message
            WHERE (owner_id, priority, due_at, id)
                    > (s.owner_id, s.priority, last.due_at, last.id)
                AND (owner_id, priority, due_at) <= (s.owner_id, s.priority, now()) AND {_DUE}
            ORDER BY owner_id, priority, due_at, id
            LIMIT {{limit}}
            FOR NO KEY UPDATE SKIP LOCKED
        ) of_share
        LIMIT s.turn - s.next_turn
    ) due
    LIMIT {_SHARES_LIMIT}
),
placed AS (
    SELECT *, sum(cost) OVER (
        PARTITION BY owner_id, priority ORDER BY due_at, id ROWS UNBOUNDED PRECEDING
    ) AS reach
    FROM (SELECT * FROM longest UNION ALL SELECT * FROM others) due
),
moved AS (
    INSERT INTO notifications_fairshare AS f (owner_id, priority, finish)
    SELECT owner_id, priority, (SELECT turn FROM clock) + max(reach) FROM placed
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (owner_id, priority) DO UPDATE
    SET finish = excluded.finish + greatest(f.finish - (SELECT turn FROM clock), 0)
    RETURNING owner_id, priority, finish
),
given AS (
    SELECT id, start + reach - cost + shift AS turn, deaths, shift FROM (
        SELECT *, max(finish) OVER share - max(reach) OVER share AS start FROM (
            SELECT owner_id, priority, id, deaths, shift, cost, reach, NULL AS finish FROM placed
            UNION ALL
            SELECT owner_id, priority, NULL, NULL, NULL, NULL, NULL, finish FROM moved
        ) mixed WINDOW share AS (PARTITION BY owner_id, priority)
    ) joined WHERE id IS NOT NULL
)
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
        AND m.list_state IN ('pending', 'uncertain')
), 0))
WHERE {_SHARES}
"""  # noqa: S608 - made of constants


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
