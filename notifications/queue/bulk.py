"""Choices for more messages than one request should wait for: begun, stopped, taken up again.

The messages are frozen when staff confirm, in a table of targets. A django-q2 task goes through
them in batches (see `bulk_run`); the task is stored in the transaction that freezes them, so there
is never one without the other. Whatever the task was on dies with it, worker and database may go
and come: an action that does not get on is given to another task.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Now
from django_q.tasks import async_task

from notifications.models import BulkAction, Delivery, Message, User
from notifications.queue.bulk_choices import CHOICES, Decision

logger = logging.getLogger(__name__)

TASK = "notifications.queue.bulk_run.run_bulk"

START_SECONDS = 60
"""How long a task may wait for a worker before another is stored."""

MOST_TRIES = 5
"""An action is given up when so many of its tasks in a row have begun and done nothing."""

_RESUME = f"""
UPDATE notifications_bulkaction
SET run = run + 1,
    due_at = CASE WHEN tries < {MOST_TRIES} THEN now() + interval '{START_SECONDS} seconds' END,
    halted_at = CASE WHEN tries >= {MOST_TRIES} THEN now() END
WHERE id IN (
    SELECT id FROM notifications_bulkaction WHERE due_at <= now()
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id, run, halted_at IS NOT NULL
"""  # noqa: S608 - made of constants


def start_bulk(
    *, choice: str, decision: Decision, messages: QuerySet[Message], whose: str, chosen_by: str
) -> BulkAction:
    """Freeze those of `messages` that `choice` would change now, and have it done to them soon.

    `whose` and `chosen_by` say in words which they are. Nobody knows of it before it is committed.
    """
    with transaction.atomic():
        action = BulkAction.objects.create(
            by=decision.by,
            choice=choice,
            reason=decision.reason,
            through=decision.through,
            whose=whose,
            chosen_by=chosen_by,
        )
        action.total = _freeze(action, CHOICES[choice].narrow(messages))
        action.deliveries = Delivery.objects.filter(
            CHOICES[choice].targets(), message__in=action.targets.values("message_id")
        ).count()
        action.save(update_fields=["total", "deliveries"])
        _give_to_task(action.id, action.run)
    return action


def stop_bulk(action_id: UUID, *, by: User) -> bool:
    """End the action where it stands; returns whether it was under way.

    Waits for the batch that is being done at this moment; what that changes stays changed.
    """
    under_way = BulkAction.objects.filter(id=action_id, ended_at__isnull=True)
    return bool(under_way.update(ended_at=Now(), due_at=None, stopped_by=by))


def go_on_bulk(action_id: UUID) -> bool:
    """Go on with an action that was given up; returns whether it was."""
    with transaction.atomic():
        rows = BulkAction.objects.select_for_update(no_key=True)
        action = rows.filter(id=action_id, halted_at__isnull=False, ended_at__isnull=True).first()
        if action is None:
            return False
        rows.filter(id=action_id).update(run=action.run + 1, tries=0, error="", halted_at=None)
        _give_to_task(action_id, action.run + 1)
    return True


def resume_stalled() -> int:
    """Give what does not get on to another task; returns how many actions.

    One that a task is at this moment working on is left alone: its row is locked. One that was
    tried in vain too often is given up.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RESUME)
        stalled: list[tuple[UUID, int, bool]] = cursor.fetchall()
        for action_id, run, is_halted in stalled:
            if is_halted:
                logger.error("Bulk action %s is given up: no try got on", action_id)
            else:
                enqueue(action_id, run)
    return sum(not is_halted for _, _, is_halted in stalled)


def enqueue(action_id: UUID, run: int) -> None:
    """Store the task that goes on with the action, in the caller's transaction."""
    async_task(TASK, str(action_id), run, save=False)


def _freeze(action: BulkAction, messages: QuerySet[Message]) -> int:
    """Make each of `messages` a target, in one statement; returns how many."""
    chosen, parameters = messages.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO notifications_bulktarget (action_id, message_id, outcome, why)
            SELECT %s, chosen.id, '', '' FROM ({chosen}) chosen (id)
            """,  # noqa: S608 - Django's own statement
            [action.id, *parameters],
        )
        return int(cursor.rowcount)


def _give_to_task(action_id: UUID, run: int) -> None:
    """Store the action's task number `run`, and by when another one is to take it over."""
    late = Now() + Value(timedelta(seconds=START_SECONDS))
    BulkAction.objects.filter(id=action_id).update(due_at=late)
    enqueue(action_id, run)
