"""Turns for what becomes due again: after a wait, a choice to repeat, or a worker's death.

A new message gets its turn when it is submitted. Whatever becomes due later gets it here, by the
same rule, so that a storm of one user's retries passes nobody else's mail.
"""

from django.db import connection

from notifications.models.fair_share import CLOCK_ID, OFFSET_SQL

TURNS_LIMIT = 2000
"""Messages in one call: some batches for each broker, yet a short transaction."""

# Every call locks the shares in the same order, so that two of them never wait for each other; and
# no submission waits for a message's row, so that none closes a circle.
_GIVE = f"""
WITH due AS (
    SELECT id, owner_id, priority, due_at, {OFFSET_SQL} AS shift FROM notifications_message
    WHERE turn IS NULL AND due_at <= now() AND lease_until IS NULL
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
        WHERE d.message_id = due.id AND d.state = 'pending'
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


def give_turns(*, limit: int = TURNS_LIMIT) -> int:
    """Give messages that are due and have no turn theirs; returns how many got one.

    The longest due come first; those that do not fit `limit` wait for the next call. One statement;
    rows that another is changing at this moment are left to the next call, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, {"limit": limit})
        return int(cursor.rowcount)
