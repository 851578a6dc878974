"""Sending again what is in doubt, where its sender chose that beforehand (`on_uncertain`).

Once a delivery, as a new generation: a second copy may arrive, a third never. Not at once, since
the truth often comes late: from the worker's journal, a report, or a repeat under the provider's
own key, which is safer and goes first. And not past the message's deadline, nor to an address that
was suppressed meanwhile.
"""

from uuid import UUID

from django.db import connection, transaction

from notifications.history.changes import Change, change_deliveries
from notifications.models.state import State
from notifications.queue.suppressed import SUPPRESSIONS

GRACE_SECONDS = 60
"""How long the truth may take."""

REASON = "on_uncertain: resend"
"""In the history; the choice is its sender's."""

_LIMIT = 500
"""Messages in one call."""

_READY = f"""
d.state = 'uncertain' AND d.generation = 1 AND d.due_at IS NULL AND EXISTS (
    SELECT 1 FROM notifications_attempt a JOIN notifications_handoff h ON h.id = a.handoff_id
    WHERE a.delivery_id = d.id AND a.generation = 1 AND a.outcome = 'uncertain'
        AND h.ended_at < now() - interval '{GRACE_SECONDS} seconds'
) AND NOT EXISTS ({SUPPRESSIONS})
"""  # noqa: S608 - made of constants

# Materialised, so that it begins with the few messages in doubt and not with the attempts.
_LOCK = f"""
WITH doubtful AS MATERIALIZED (
    SELECT id FROM notifications_message
    WHERE list_state = 'uncertain' AND on_uncertain = 'resend' AND lease_until IS NULL
        AND expires_at > now()
)
SELECT m.id FROM notifications_message m
WHERE m.id IN (
    SELECT d.message_id FROM doubtful JOIN notifications_delivery d ON d.message_id = doubtful.id
    WHERE {_READY}
) AND m.lease_until IS NULL
ORDER BY m.id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608 - made of constants

_DELIVERIES = f"""
SELECT d.id, u.username FROM notifications_delivery d
JOIN notifications_user u ON u.id = d.owner_id
WHERE d.message_id = ANY(%s) AND {_READY}
"""  # noqa: S608 - made of constants


def resend_uncertain(*, limit: int = _LIMIT) -> int:
    """Send again what may be; returns the number of deliveries."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [limit])
        message_ids = [row[0] for row in cursor.fetchall()]
        if not message_ids:
            return 0
        cursor.execute(_DELIVERIES, [message_ids])
        steps = [_step(*row) for row in cursor.fetchall()]
        return len(change_deliveries(steps, before=(State.UNCERTAIN,), requeue=True))


def _step(delivery_id: UUID, owner: str) -> Change:
    data = {"by": owner, "reason": REASON, "choice": "requeue"}
    return Change(delivery_id, State.PENDING, data=data, generation=1)
