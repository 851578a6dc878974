"""The claim: take what is due, oldest first, under a new lease."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import connection

from notifications.models.lease import LEASE_SECONDS

CLAIM_LIMIT = 100
"""Messages in one batch: enough to share the commits, few enough to finish within a lease."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch of messages that one worker may work on."""

    token: UUID
    message_ids: list[UUID]


def claim_due(*, limit: int = CLAIM_LIMIT) -> Claim | None:
    """Claim up to `limit` messages that are due; None if there are none.

    One short statement: workers skip the rows that another is claiming at this moment.
    """
    token = uuid4()
    with connection.cursor() as cursor:
        # ORDER BY in a sub-select of its own: an UPDATE has none, and the index gives it for free
        cursor.execute(
            """
            WITH due AS (
                SELECT id FROM notifications_message
                WHERE due_at <= now() AND lease_until IS NULL
                ORDER BY due_at, id
                LIMIT %(limit)s
                FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE notifications_message m
            SET lease_token = %(token)s, lease_until = now() + %(seconds)s * interval '1 second'
            FROM due WHERE m.id = due.id
            RETURNING m.id
            """,
            {"limit": limit, "token": token, "seconds": LEASE_SECONDS},
        )
        message_ids = [row[0] for row in cursor.fetchall()]
    return Claim(token, message_ids) if message_ids else None
