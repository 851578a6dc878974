"""The django-q2 broker through which messages and ordinary tasks reach the workers.

The message table is the queue: a batch is claimed there and handed to a worker as one task that is
stored nowhere else, so there is no second copy that could be lost or run twice. Ordinary tasks and
schedules keep django-q2's own table.
"""

import logging
import os
import socket
import time
from typing import Any
from uuid import uuid4

import psycopg
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.signing import SignedPackage

from notifications.delivery.providers import sync_rows
from notifications.history.positions import sequence_events
from notifications.models.wakeup import wake
from notifications.queue.claim import claim_due
from notifications.queue.listener import Listener
from notifications.queue.sweep import sweep_expired

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""How long to wait for a wake-up; also how late a message is whose wake-up was lost."""

TICK_SECONDS = 1.0
BEAT_SECONDS = 5.0
_AWAY_SECONDS = 1.0

Package = tuple[int | None, str]
"""What django-q2 takes from a broker: an acknowledgement id, and a signed task."""


class OutboxBroker(ORM):
    """Serves claimed messages first, then django-q2's ordinary tasks."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key=list_key)
        self._listener = Listener()
        self._ticked_at = 0.0
        self._beaten_at = 0.0

    def enqueue(self, task: str) -> int:
        """Store an ordinary task and wake a broker for it; returns its id."""
        task_id: int = super().enqueue(task)
        transaction.on_commit(wake)
        return task_id

    def dequeue(self) -> list[Package] | None:
        """Return what a worker can begin, or None after a short wait.

        Never raises on a database error: django-q2 would end the process for it.
        """
        try:
            return self._next()
        except (DatabaseError, psycopg.Error) as error:
            logger.warning("The database is away, trying again: %s", error)
            self._listener.close()
            connection.close()
            time.sleep(_AWAY_SECONDS)
            return None

    def _next(self) -> list[Package] | None:
        self._tick()
        packages = [*self._beat(), *self._claim(), *(super().dequeue() or [])]
        if not packages:
            self._listener.wait(POLL_SECONDS)
        return packages or None

    def _tick(self) -> None:
        """The housekeeping that needs no worker."""
        if time.monotonic() - self._ticked_at < TICK_SECONDS:
            return
        if not self._ticked_at:
            sync_rows()
        self._ticked_at = time.monotonic()
        sweep_expired()
        sequence_events()

    def _claim(self) -> list[Package]:
        claim = claim_due()
        if claim is None:
            return []
        message_ids = [str(message_id) for message_id in claim.message_ids]
        name = "notifications.delivery.batch.deliver_batch"
        return [_package(name, str(claim.token), message_ids, cluster=_cluster())]

    def _beat(self) -> list[Package]:
        """The proof of progress goes the way of every task: to a worker, which notes it."""
        if time.monotonic() - self._beaten_at < BEAT_SECONDS:
            return []
        self._beaten_at = time.monotonic()
        return [_package("notifications.queue.progress.beat", _cluster())]


def _cluster() -> str:
    """The name of this cluster: its host, and the process that hands out its work."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _package(func: str, *args: Any, **kwargs: Any) -> Package:
    """A task that is not stored: no acknowledgement, no saved success, no time-out of django-q2."""
    task = {
        "id": uuid4().hex,
        "name": func.rsplit(".", 1)[-1],
        "func": func,
        "args": args,
        "kwargs": kwargs,
        "started": timezone.now(),
        "timeout": -1,
        "save": False,
    }
    return None, SignedPackage.dumps(task)
