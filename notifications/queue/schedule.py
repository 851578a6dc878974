"""Scheduled messages whose time has come: they stand in line like new ones."""

from django.db import connection, transaction

from notifications.history.changes import Change, change_deliveries
from notifications.models.state import State
from notifications.queue.suppressed import Candidate, candidates

RELEASE_LIMIT = 500
"""Messages in one call."""

# Under its own index: what is scheduled is neither looked for among what is due, nor given a turn.
_LOCK_DUE = """
SELECT id FROM notifications_message
WHERE list_state = 'scheduled' AND due_at <= now()
ORDER BY due_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
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
            steps = [_step(candidate) for candidate in candidates(due, (State.SCHEDULED,))]
            change_deliveries(steps, before=(State.SCHEDULED,))
    return len(due)


def _step(candidate: Candidate) -> Change:
    return candidate.stop() if candidate.suppressed else Change(candidate.id, State.PENDING)
