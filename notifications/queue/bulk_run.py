"""Doing a bulk action: a task that goes through its targets, batch by batch.

A batch is one transaction: the choice for its messages, their marks, and the action's counts. Who
has the action's row locked does the batch, so that a task that was taken for lost and its successor
never do the same one; and a batch that is lost is lost as a whole, and done again.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import (
    DatabaseError,
    Error,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Now

from notifications.delivery.stop_flag import stop_flag
from notifications.failpoints import hit
from notifications.models import BulkAction, TargetOutcome
from notifications.queue.bulk import enqueue
from notifications.queue.bulk_choices import BATCH, CHOICES, Decision
from notifications.queue.choices import Result

_RUN_SECONDS = 15
"""A task begins no batch after this, so that other tasks have their turn, and django-q2 does not
take it for one that hangs."""

_STALLED = timedelta(seconds=5)
"""An action that has done no batch for so long is given to another task."""

_SUPPRESSED = "The address was suppressed meanwhile"

_AWAY = (OperationalError, InterfaceError, InternalError)
"""What tells of the database, not of the message that was worked on."""


class _Mark(NamedTuple):
    message_id: UUID
    outcome: TargetOutcome
    why: str = ""


def run_bulk(action_id: str, run: int) -> None:
    """Go on with the action, as its task number `run`; the django-q2 task.

    Raises what keeps it from that, noted for staff: the action is taken up again later.
    """
    id_ = UUID(action_id)
    if stop_flag.is_set() or not _begin(id_, run):
        return
    try:
        _run(id_, run)
    except Exception as error:
        # where the database is away it cannot be noted
        with suppress(Error):
            _mine(id_, run).update(error=_said_by(error))
        raise


def _run(action_id: UUID, run: int) -> None:
    until = time.monotonic() + _RUN_SECONDS
    while not stop_flag.is_set() and run_batch(action_id, run):
        if time.monotonic() > until:
            enqueue(action_id, run)
            return


def _begin(action_id: UUID, run: int) -> bool:
    """Count a try, which the first batch takes back; returns whether the action is this task's."""
    return bool(_mine(action_id, run).update(tries=F("tries") + 1, error=""))


def _mine(action_id: UUID, run: int) -> QuerySet[BulkAction]:
    """The action, unless it has ended or is another task's by now."""
    return BulkAction.objects.filter(id=action_id, run=run, ended_at__isnull=True)


def run_batch(action_id: UUID, run: int) -> bool:
    """Do the next batch; returns whether there may be another one for this task."""
    with transaction.atomic(), _locked(action_id, run) as action:
        if action is None:
            return False
        ids = _next(action)
        if ids:
            _count(action, marks := _do(action, ids))
            _mark(action, marks)
        hit("bulk_batch", str(action.settled))
        _note(action, is_over=not ids)
    return bool(ids)


@contextmanager
def _locked(action_id: UUID, run: int) -> Iterator[BulkAction | None]:
    """The action, nobody else's until the transaction ends; None if it is not this task's."""
    rows = _mine(action_id, run).select_related("by")
    yield rows.select_for_update(skip_locked=True, of=("self",), no_key=True).first()


def _next(action: BulkAction) -> list[UUID]:
    left = action.targets.filter(outcome="").order_by("message_id")
    return list(left.values_list("message_id", flat=True)[:BATCH])


def _do(action: BulkAction, ids: Sequence[UUID]) -> list[_Mark]:
    """Make the choice for the messages together; one by one where that cannot be."""
    try:
        result = _choose(action, ids)
    except DatabaseError as error:
        if isinstance(error, _AWAY):
            raise
        if len(ids) > 1:
            return [mark for id_ in ids for mark in _do(action, [id_])]
        return [_Mark(ids[0], TargetOutcome.FAILED, _said_by(error))]
    return [_read(result, id_, nothing=CHOICES[action.choice].nothing) for id_ in ids]


def _said_by(error: Exception) -> str:
    """What the error says, in one line; its name if that is nothing."""
    return str(error).partition("\n")[0] or type(error).__name__


def _choose(action: BulkAction, ids: Sequence[UUID]) -> Result:
    decision = Decision(action.by, action.reason, action.through)
    with transaction.atomic():
        return CHOICES[action.choice].run(ids, decision)


def _read(result: Result, id_: UUID, *, nothing: str) -> _Mark:
    if id_ in result.done:
        return _Mark(id_, TargetOutcome.DONE)
    why = _SUPPRESSED if id_ in result.suppressed else nothing
    return _Mark(id_, TargetOutcome.SKIPPED, why)


def _count(action: BulkAction, marks: Sequence[_Mark]) -> None:
    counts = Counter(mark.outcome for mark in marks)
    action.done += counts[TargetOutcome.DONE]
    action.skipped += counts[TargetOutcome.SKIPPED]
    action.failed += counts[TargetOutcome.FAILED]
    whys = Counter(mark.why for mark in marks if mark.why)
    action.remarks = dict(Counter(action.remarks) + whys)


def _mark(action: BulkAction, marks: Sequence[_Mark]) -> None:
    ids, outcomes, whys = zip(*marks, strict=True)
    parameters: dict[str, Any] = {
        "action": action.id,
        "ids": list(ids),
        "outcomes": [outcome.value for outcome in outcomes],
        "whys": list(whys),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_bulktarget x SET outcome = t.outcome, why = t.why
            FROM unnest(%(ids)s::uuid[], %(outcomes)s::text[], %(whys)s::text[])
                t (id, outcome, why)
            WHERE x.action_id = %(action)s AND x.message_id = t.id AND x.outcome = ''
            """,
            parameters,
        )


def _note(action: BulkAction, *, is_over: bool) -> None:
    """Write down how far the action has come, and by when it must get on."""
    BulkAction.objects.filter(id=action.id).update(
        done=action.done,
        skipped=action.skipped,
        failed=action.failed,
        remarks=action.remarks,
        tries=0,
        error="",
        started_at=Coalesce("started_at", Now()),
        ended_at=Now() if is_over else None,
        due_at=None if is_over else Now() + Value(_STALLED),
    )
