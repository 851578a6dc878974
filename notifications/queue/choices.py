"""What people choose: try now, send again, do not send.

Each choice is recorded in the history with who made it; what a delivery's state forbids is left
alone. All take messages, and say how many deliveries they changed.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection, transaction

from notifications.history.changes import Change, add_event, change_deliveries, lock_messages
from notifications.models import Delivery, User
from notifications.models.state import CANCELLABLE, DEAD_LETTER, State
from notifications.models.wakeup import wake
from notifications.queue.turns import give_back_turns

LIFETIME_HOURS = 24
"""A requeued message gets as much time as a new one."""


def retry_now(message_ids: Iterable[UUID], *, by: User) -> int:
    """Make waiting deliveries due at once; returns how many were waiting."""
    with transaction.atomic():
        locked = lock_messages(message_ids)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH d AS (
                    UPDATE notifications_delivery SET due_at = now()
                    WHERE message_id = ANY(%(ids)s) AND state = 'pending' AND due_at > now()
                    RETURNING message_id
                ), m AS (
                    UPDATE notifications_message SET due_at = now()
                    WHERE id IN (SELECT message_id FROM d)
                )
                SELECT message_id, count(*) FROM d GROUP BY 1 ORDER BY 1
                """,
                {"ids": locked},
            )
            waiting: Sequence[tuple[UUID, int]] = cursor.fetchall()
        for message_id, count in waiting:
            data = {"by": by.get_username(), "deliveries": count}
            add_event(message_id=message_id, kind="retried", data=data)
        transaction.on_commit(wake)
    return sum(count for _, count in waiting)


def requeue(
    message_ids: Iterable[UUID],
    *,
    by: User,
    reason: str,
    states: Sequence[State] = DEAD_LETTER,
) -> int:
    """Send dead letters (or what is in `states`) again, as a new generation; returns how many.

    `reason` goes into the history. The messages get a new deadline.
    """
    with transaction.atomic():
        locked = lock_messages(message_ids)
        _extend(locked, states)
        dead = Delivery.objects.filter(message__in=locked, state__in=states)
        data = {"by": by.get_username(), "reason": reason, "choice": "requeue"}
        changed = change_deliveries(
            [Change(id_, State.PENDING, data=data) for id_ in dead.values_list("id", flat=True)],
            before=states,
            requeue=True,
        )
        transaction.on_commit(wake)
    return len(changed)


def cancel(message_ids: Iterable[UUID], *, by: User) -> int:
    """Stop deliveries that no provider has been given yet; returns how many."""
    with transaction.atomic():
        locked = lock_messages(message_ids)
        waiting = Delivery.objects.filter(message__in=locked, state__in=CANCELLABLE)
        data = {"by": by.get_username()}
        changed = change_deliveries(
            [
                Change(id_, State.CANCELLED, data=data)
                for id_ in waiting.values_list("id", flat=True)
            ],
            before=CANCELLABLE,
        )
        give_back_turns(locked)
    return len(changed)


def _extend(message_ids: Sequence[UUID], states: Sequence[State]) -> None:
    """Move the deadline of messages with deliveries in `states`: a new generation needs time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_message m
            SET expires_at = greatest(expires_at, now() + %(hours)s * interval '1 hour')
            WHERE id = ANY(%(ids)s) AND EXISTS (
                SELECT 1 FROM notifications_delivery d
                WHERE d.message_id = m.id AND d.state = ANY(%(states)s)
            )
            """,
            {
                "hours": LIFETIME_HOURS,
                "ids": list(message_ids),
                "states": [state.value for state in states],
            },
        )
