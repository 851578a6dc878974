"""Turns for what becomes due again: after a wait, a choice to repeat, or a worker's death.

A new message gets its turn when it is submitted. Whatever becomes due later gets it here, by the
same rule, so that a storm of one user's retries passes nobody else's mail. What is cancelled gives
its place back.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from notifications.models.fair_share import CLOCK_ID, OFFSET_SQL

TURNS_LIMIT = 2000
"""Messages in one call: some batches for each broker, yet a short transaction."""

# Every call locks the shares in the same order, so that two of them never wait for each other; and
# no submission waits for a message's row, so that none closes a circle.
_GIVE = f"""
WITH due AS (
    SELECT id, owner_id, priority, due_at, {OFFSET_SQL} AS shift FROM notifications_message
    WHERE turn IS NULL AND due_at <= now() AND lease_until IS NULL AND state <> 'scheduled'
    ORDER BY due_at
    LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
),
clock AS (
    SELECT coalesce(
        (SELECT turn FROM notifications_queueclock WHERE id = {CLOCK_ID}), 0
    ) AS turn
),
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
)
UPDATE notifications_message m
SET turn = moved.finish - total + before + shift
FROM placed JOIN moved USING (owner_id, priority)
WHERE m.id = placed.id
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

    The longest due come first; those that do not fit `limit` wait for the next call. One statement;
    rows that another is changing at this moment are left to the next call, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, {"limit": limit})
        return int(cursor.rowcount)


def give_back_turns(message_ids: Sequence[UUID]) -> None:
    """Let the next messages of these messages' owners stand right behind what they have in line.

    For messages that were cancelled in this transaction: nobody is to wait behind his own mail that
    will never go.
    """
    with connection.cursor() as cursor:
        # locked first: what a submission that holds the share stores must be seen below
        cursor.execute(
            f"""
            SELECT 1 FROM notifications_fairshare WHERE {_SHARES}
            ORDER BY owner_id, priority FOR NO KEY UPDATE
            """,  # noqa: S608 - made of constants
            {"ids": list(message_ids)},
        )
        cursor.execute(_GIVE_BACK, {"ids": list(message_ids)})
