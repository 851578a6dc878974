"""Scheduled messages whose time has come: they stand in line like new ones."""

from uuid import UUID

from django.db import connection, transaction

from notifications.history.changes import Change, change_deliveries
from notifications.models.state import State

RELEASE_LIMIT = 500
"""Messages in one call."""

# Under its own index: what is scheduled is neither looked for among what is due, nor given a turn.
_LOCK_DUE = """
SELECT id FROM notifications_message
WHERE state = 'scheduled' AND due_at <= now()
ORDER BY due_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""

# as submission looks suppressions up: under the address as given, and in lower case
_DELIVERIES = """
SELECT d.id, s.reason FROM notifications_delivery d
LEFT JOIN LATERAL (
    SELECT reason FROM notifications_suppression
    WHERE owner_id = d.owner_id AND address IN (d.address, lower(d.address)) LIMIT 1
) s ON true
WHERE d.message_id = ANY(%s) AND d.state = 'scheduled'
"""


def release_scheduled(*, limit: int = RELEASE_LIMIT) -> int:
    """Let what is scheduled and due wait for its turn; returns the number of messages.

    Whoever was suppressed meanwhile gets nothing. Messages that another session is changing at
    this moment are left to the next call.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_DUE, [limit])
        due = [row[0] for row in cursor.fetchall()]
        if due:
            cursor.execute(_DELIVERIES, [due])
            steps = [_step(*row) for row in cursor.fetchall()]
            change_deliveries(steps, before=(State.SCHEDULED,))
    return len(due)


def _step(delivery_id: UUID, suppressed: str | None) -> Change:
    if suppressed is None:
        return Change(delivery_id, State.PENDING)
    return Change(delivery_id, State.SUPPRESSED, data={"reason": suppressed})
