"""The claim: take those whose turn it is, under a new lease, and move the queue's clock on."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from notifications.models.fair_share import CLOCK_ID, OFFSET_SQL
from notifications.models.lease import RENEWED
from notifications.models.prepared import prepared_cursor
from notifications.queue.turns import IN_LINE, give_turns_or_claim

CLAIM_LIMIT = 100
"""Messages in one batch: enough to share the commits, few enough to finish within a lease."""

# `next` asks for what the index message_turn holds, in its order: one scan, and no sort, however
# long the queue. `batch` leaves out those that were with a worker that died; the first in order
# is taken even so, but alone, so that what kills a worker harms nothing else.
#
# The statement is planned once, for any parameters. So the limit is part of its text, or it would
# be taken for a tenth of all that waits; and the update takes the ids as an array, which is thought
# to be short: to join a batch that is thought to be long, the whole table would be read.
#
# The clock is where a newcomer starts. It follows the starts of what is taken, but for urgent
# messages their turns, a head start earlier: a flood of urgent mail must not carry the clock past
# what others have had waiting, or each newcomer would come after all of that. Only when the queue
# is drained nobody waits whom that could harm, and a user's urgent mail has its head start again.
_CLAIM = f"""
WITH next AS (
    SELECT id, turn, deaths, {OFFSET_SQL} AS shift
    FROM notifications_message
    WHERE {IN_LINE}
    ORDER BY turn, id
    LIMIT {{limit}}
    FOR NO KEY UPDATE SKIP LOCKED
),
placed AS (
    SELECT *, row_number() OVER line AS place, first_value(deaths) OVER line AS first_deaths
    FROM next WINDOW line AS (ORDER BY turn, id)
),
batch AS (
    SELECT * FROM placed WHERE CASE WHEN first_deaths > 0 THEN place = 1 ELSE deaths = 0 END
),
claimed AS (
    UPDATE notifications_message m
    SET lease_token = %(token)s::uuid, lease_until = {RENEWED}
    WHERE m.id = ANY(ARRAY(SELECT id FROM batch))
),
clock AS (
    INSERT INTO notifications_queueclock AS c (id, turn)
    SELECT {CLOCK_ID}, greatest(0, CASE
        WHEN count(*) = (SELECT count(*) FROM next) AND count(*) < {{limit}}
        THEN max(turn - shift)
        ELSE max(turn - greatest(shift, 0))
    END)
    FROM batch HAVING count(*) > 0
    ON CONFLICT (id) DO UPDATE SET turn = excluded.turn WHERE c.turn < excluded.turn
)
SELECT id FROM batch ORDER BY place
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch of messages that one worker may work on, in the order of their turns."""

    token: UUID
    message_ids: list[UUID]


def claim_next(*, limit: int = CLAIM_LIMIT) -> Claim | None:
    """Claim up to `limit` messages, after all that is due has its turn; None if there are none.

    One short statement where the queue is drained each time, else two.
    """
    token = uuid4()
    message_ids = give_turns_or_claim(token, most=limit)
    return Claim(token, message_ids) if message_ids else claim_due(limit=limit)


def claim_due(*, limit: int = CLAIM_LIMIT) -> Claim | None:
    """Claim up to `limit` messages whose turn it is; None if there are none.

    One short statement: workers skip the rows that another is claiming at this moment. What became
    due without a turn is not seen: `give_turns` comes first.
    """
    token = uuid4()
    with prepared_cursor() as cursor:
        cursor.execute(_CLAIM.format(limit=limit), {"token": token})
        message_ids = [row[0] for row in cursor.fetchall()]
    return Claim(token, message_ids) if message_ids else None
