"""The claim: posts that are due, each for one poster, and no endpoint at the others' expense."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

_CLAIM_SECONDS = 120
"""A claimed post whose poster ends without a word is due again after this."""

_LANES = 4
"""Posts under way at once to one endpoint; to one that is failing, a single one."""

# statement_timestamp(), as Django's Now() has it, by which the rows are written
_FREE = """
SELECT e.id, e.url, e.sealed_secret,
    CASE WHEN e.failing_since IS NULL THEN %(lanes)s ELSE 1 END - coalesce(busy.n, 0) AS lanes
FROM notifications_webhookendpoint e
LEFT JOIN unnest(%(busy)s::uuid[], %(counts)s::int[]) busy (id, n) ON busy.id = e.id
WHERE e.enabled AND (e.paused_until IS NULL OR e.paused_until <= statement_timestamp())
"""

# LATERAL: the oldest of each endpoint, by the index that begins with it. Whoever has waited longest
# comes first; the endpoints' own limits keep one of them from taking every place.
_CLAIM = f"""
WITH free AS ({_FREE}),
due AS (
    SELECT d.id, free.url, free.sealed_secret
    FROM free CROSS JOIN LATERAL (
        SELECT id, due_at FROM notifications_webhookdelivery
        WHERE endpoint_id = free.id AND state = 'pending' AND due_at <= statement_timestamp()
        ORDER BY due_at, id LIMIT greatest(free.lanes, 0)
        FOR NO KEY UPDATE SKIP LOCKED
    ) d
    ORDER BY d.due_at, d.id LIMIT %(limit)s
)
UPDATE notifications_webhookdelivery w SET
    due_at = statement_timestamp() + %(seconds)s * interval '1 second', attempts = attempts + 1
FROM due WHERE w.id = due.id
RETURNING w.id, w.endpoint_id, w.event_id, w.attempts, due.url, due.sealed_secret
"""  # noqa: S608 - put together from two constants


@dataclass(frozen=True, slots=True)
class Claimed:
    """A post that is one poster's for now."""

    id: UUID
    endpoint_id: UUID
    event_id: int
    attempts: int
    """Tries, this one included."""
    url: str
    sealed_secret: str


def claim_due(*, under_way: Iterable[Claimed], limit: int) -> list[Claimed]:
    """Claim up to `limit` posts that are due, beside those `under_way`.

    One short statement: posters skip the rows that another is claiming at this moment.
    """
    busy = Counter(post.endpoint_id for post in under_way)
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "busy": list(busy),
                "counts": list(busy.values()),
                "lanes": _LANES,
                "limit": limit,
                "seconds": _CLAIM_SECONDS,
            },
        )
        return [Claimed(*row) for row in cursor.fetchall()]


def is_due() -> bool:
    """Whether `claim_due` would find anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT EXISTS (
                SELECT 1 FROM ({_FREE}) free
                JOIN notifications_webhookdelivery w ON w.endpoint_id = free.id
                WHERE w.state = 'pending' AND w.due_at <= statement_timestamp()
            )
            """,  # noqa: S608 - put together from two constants
            {"busy": [], "counts": [], "lanes": _LANES},
        )
        return bool(cursor.fetchone()[0])
