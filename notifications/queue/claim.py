"""The claim: take those whose turn it is, under a new lease, and move the queue's clock on."""

import time
from dataclasses import dataclass
from functools import cache
from uuid import UUID, uuid4

from notifications.models.fair_share import CLOCK_ID
from notifications.models.ids import Id
from notifications.models.lease import RENEWED
from notifications.models.prepared import prepared_cursor
from notifications.queue.turns import TURNS

CLAIM_LIMIT = 100
"""Messages in one batch: enough to share the commits, few enough to finish within a lease."""

_RETRY_SECONDS = 0.005
_PATIENCE_SECONDS = 1.0
"""How long to wait for another who gives turns: he takes some milliseconds, unless he waits too."""

# What gets its turn now and belongs among the first in line is claimed in one go, so that a row is
# written once for both; why its state is set to what it is, `Message.list_state` tells. `batch`
# leaves out those that were with a worker that died; the first in order is taken even so, but
# alone, so that what kills a worker harms nothing else.
#
# The clock is where a newcomer starts. It follows the starts of what is taken, but for urgent
# messages their turns, a head start earlier: a flood of urgent mail must not carry the clock past
# what others have had waiting, or each newcomer would come after all of that. Only when the queue
# is drained nobody waits whom that could harm, and a user's urgent mail has its head start again.
#
# The rows to update are asked for by one array of ids, and so found in one walk over their index.
# What they get is in the same order, so that the two are merged, and not looked through in turn.
#
# The ids come as one text: a row and an object for each take as long as their signed journey.
_CLAIM = f"""
{TURNS},
waiting AS (
    SELECT id, turn, deaths, shift, false AS is_new FROM line
    UNION ALL
    SELECT id, turn, deaths, shift, true FROM given
),
ordered AS (
    SELECT *, row_number() OVER line AS place, first_value(deaths) OVER line AS first_deaths
    FROM waiting WINDOW line AS (ORDER BY turn, id)
),
batch AS (
    SELECT *, CASE WHEN first_deaths > 0 THEN place = 1 ELSE place <= {{limit}} AND deaths = 0 END
        AS is_claimed
    FROM ordered
),
clock_moved AS (
    INSERT INTO notifications_queueclock AS c (id, turn)
    SELECT {CLOCK_ID}, greatest(0, CASE
        WHEN (SELECT is_mine FROM giving) AND count(*) < {{limit}}
            AND count(*) = (SELECT count(*) FROM batch)
        THEN max(turn - shift)
        ELSE max(turn - greatest(shift, 0))
    END)
    FROM batch WHERE is_claimed HAVING count(*) > 0
    ON CONFLICT (id) DO UPDATE SET turn = excluded.turn WHERE c.turn < excluded.turn
),
arrays AS (
    SELECT array_agg(id) AS ids, array_agg(turn) AS turns, array_agg(is_claimed) AS claims
    FROM batch WHERE is_claimed OR is_new
),
updated AS (
    UPDATE notifications_message m
    SET turn = b.turn, state = m.state,
        lease_token = CASE WHEN is_claimed THEN $1::uuid END,
        lease_until = CASE WHEN is_claimed THEN {RENEWED} END
    FROM (
        SELECT * FROM unnest(
            (SELECT ids FROM arrays), (SELECT turns FROM arrays), (SELECT claims FROM arrays)
        ) b (id, turn, is_claimed) ORDER BY id
    ) b
    WHERE m.id = b.id AND m.id = ANY((SELECT ids FROM arrays)::uuid[])
)
SELECT is_mine, (
    SELECT string_agg(id::text, ',' ORDER BY place) FROM batch WHERE is_claimed
) FROM giving
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch of messages that one worker may work on, in the order of their turns."""

    token: UUID
    message_ids: list[Id]


def claim_next(*, limit: int = CLAIM_LIMIT) -> Claim | None:
    """Claim up to `limit` messages whose turn it is; None if there are none.

    One statement, which also gives turns to those that are due and have none, as many as belong
    among the first in line. Workers skip the rows that another is claiming at this moment. One at a
    time gives turns, and who comes meanwhile takes what stands in line; if that is nothing, it
    tries again in a moment.
    """
    token = uuid4()
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with prepared_cursor(is_numbered=True) as cursor:
            cursor.execute(_statement(limit), [token])
            ((is_giving, ids),) = cursor.fetchall()
        if ids:
            return Claim(token, ids.split(","))
        if is_giving or time.monotonic() > until:
            return None
        time.sleep(_RETRY_SECONDS)


@cache
def _statement(limit: int) -> str:
    return _CLAIM.format(limit=limit, most=limit)
