"""The django-q2 broker through which messages and ordinary tasks reach the workers.

The message table is the queue: a batch is claimed there and handed to a worker as one task that is
stored nowhere else, so there is no second copy that could be lost or run twice. Ordinary tasks and
schedules keep django-q2's own table.

Nothing is handed over that an idle worker could not begin at once: what waits in a process's memory
is lost with it, and another cluster could have begun it.
"""

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.signing import SignedPackage

from notifications import failpoints
from notifications.delivery.batch import deliver_batch
from notifications.delivery.stop_flag import stop_flag
from notifications.models.lease import Lease, boottime
from notifications.models.prepared import prepared_cursor
from notifications.models.wakeup import wake
from notifications.queue.board import Board, Kind, Ticket
from notifications.queue.claim import claim_next
from notifications.queue.housekeeping import Housekeeping
from notifications.queue.listener import Listener
from notifications.queue.pace import Pace
from notifications.queue.progress import beat

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""How long to wait for a wake-up; also how late a message is whose wake-up was lost."""

BEAT_SECONDS = 5.0

LOST_SECONDS = 5.0
"""A task that no worker has taken up for so long, though it took up a later one, is lost."""

_BUSY_SECONDS = 0.25
_BUSY_POLL_SECONDS = 0.005
_AWAY_SECONDS = 1.0

_HAS_ORDINARY = """
SELECT EXISTS (SELECT FROM django_q_ormq WHERE key = %s::text AND lock < %s::timestamptz)
"""

Package = tuple[Ticket, str]
"""What django-q2 takes from a broker: an acknowledgement id, and a signed task."""


class OutboxBroker(ORM):
    """Any process's way to have an ordinary task done."""

    def enqueue(self, task: str) -> int:
        """Store an ordinary task and wake a broker for it; returns its id."""
        task_id: int = super().enqueue(task)
        transaction.on_commit(wake)
        return task_id


@dataclass(frozen=True, slots=True)
class _Task:
    """Something a worker shall do."""

    kind: Kind
    signed: str
    token: UUID | None = None
    task_id: int | None = None
    count: int = 0
    """The messages of a batch."""


class ClusterBroker(OutboxBroker):
    """Hands claimed messages, and django-q2's ordinary tasks, to the workers of one cluster.

    Made in the sentinel; `dequeue` and `fail` run in the pusher, `acknowledge` in the monitor.
    """

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self._cluster = f"{socket.gethostname()}:{board.main}"
        self._listener = Listener()
        self._housekeeping = Housekeeping()
        self._pace = Pace(board)
        self._pid = 0
        self._inherited = 0
        self._beaten_at = 0.0
        self._is_ordinary_next = False

    def dequeue(self) -> list[Package] | None:
        """Return what a worker can begin, or None after a short wait.

        Never raises on a database error: django-q2 would end the process for it.
        """
        if self._pid != os.getpid():
            self._begin()
        try:
            return self._next()
        except (DatabaseError, psycopg.Error) as error:
            logger.warning("The database is away, trying again: %s", error)
            self._listener.close()
            connection.close()
            time.sleep(_AWAY_SECONDS)
            return None

    def acknowledge(self, ticket: Ticket) -> None:
        """Forget an ordinary task that is done; a batch is stored nowhere."""
        if ticket.task_id is not None:
            super().acknowledge(ticket.task_id)

    def fail(self, ticket: Ticket) -> None:
        """Forget a task that cannot be read, and that nobody will take up."""
        self._board.withdraw(place=ticket.place, number=ticket.number)
        self.acknowledge(ticket)

    def _begin(self) -> None:
        """Become the pusher; what a predecessor that died handed over may be lost."""
        self._pid = os.getpid()
        self._board.own_pusher()
        self._inherited = self._board.handed

    def _next(self) -> list[Package] | None:
        self._housekeeping.tick(is_queue_long=self._pace.is_queue_long)
        self._write_off()
        if not self._wait_for_room():
            return None
        for source in self._sources():
            if task := source():
                return [self._hand_over(task)]
        if not self._housekeeping.catch_up():
            self._listener.wait(POLL_SECONDS)
        return None

    def _wait_for_room(self) -> bool:
        """Whether a worker can begin something, now or in a moment.

        It looks at memory only, so it can look often: a worker that becomes free has more to do.
        """
        until = time.monotonic() + _BUSY_SECONDS
        while stop_flag.is_set() or self._board.room() < 1:
            if time.monotonic() > until:
                return False
            time.sleep(_BUSY_POLL_SECONDS)
        return True

    def _sources(self) -> list[Callable[[], _Task | None]]:
        """Where to look for work. Messages and ordinary tasks take turns: neither starves."""
        if self._is_ordinary_next:
            return [self._beat, self._ordinary, self._claim]
        return [self._beat, self._claim, self._ordinary]

    def _hand_over(self, task: _Task) -> Package:
        ticket = self._board.hand_over(task.kind, token=task.token, task_id=task.task_id)
        if task.count:
            self._pace.began(ticket.number, task.count)
        return ticket, task.signed

    def _claim(self) -> _Task | None:
        limit = self._pace.limit
        claimed_at = boottime()
        claim = claim_next(limit=limit)
        self._pace.claimed(len(claim.message_ids) if claim else 0)
        if claim is None:
            return None
        failpoints.hit("after_claim")
        self._is_ordinary_next = True
        ids = claim.message_ids
        signed = _signed(
            deliver_batch, str(claim.token), ids, claimed_at=claimed_at, cluster=self._cluster
        )
        return _Task(Kind.OURS, signed, token=claim.token, count=len(ids))

    def _ordinary(self) -> _Task | None:
        """One of django-q2's own tasks. They leave one worker to the messages, if there are two."""
        if self._board.ordinary() >= max(1, self._board.workers - 1):
            return None
        self._is_ordinary_next = False
        if not self._has_ordinary():
            return None
        # Q_CLUSTER's `bulk` is 1: never more than one
        for task_id, signed in super().dequeue() or []:
            return _Task(Kind.ORDINARY, signed, task_id=task_id)
        return None

    def _has_ordinary(self) -> bool:
        """Whether there may be one; after each batch, by models, that would cost eight times."""
        close_old_connections()
        with prepared_cursor() as cursor:
            cursor.execute(_HAS_ORDINARY, [self.list_key, timezone.now()])
            ((has_any,),) = cursor.fetchall()
        return bool(has_any)

    def _beat(self) -> _Task | None:
        """The proof of progress goes the way of every task: to a worker, which notes it."""
        if time.monotonic() - self._beaten_at < BEAT_SECONDS:
            return None
        self._beaten_at = time.monotonic()
        return _Task(Kind.OURS, _signed(beat, self._cluster))

    def _write_off(self) -> None:
        """Stop waiting for tasks that died with a worker, or with the pusher before this one.

        A batch that turns up after all has lost its lease and does nothing.
        """
        for task in self._board.waiting():
            overtaken = task.number <= max(self._inherited, self._board.taken)
            if overtaken and task.age > LOST_SECONDS:
                logger.warning("A task was lost on its way to a worker")
                if task.token:
                    Lease(task.token).release_all()
                self._board.withdraw(place=task.place, number=task.number)


def _signed(func: Callable[..., None], *args: Any, **kwargs: Any) -> str:
    """A task that is not stored: no saved success, no time-out of django-q2."""
    task = {
        "id": uuid4().hex,
        "name": func.__name__,
        "func": f"{func.__module__}.{func.__name__}",
        "args": args,
        "kwargs": kwargs,
        "started": timezone.now(),
        "timeout": -1,
        "save": False,
    }
    signed: str = SignedPackage.dumps(task)
    return signed
