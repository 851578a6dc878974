"""LISTEN: how a broker learns at once that something is due.

The connection is psycopg's own and in autocommit, since Django's may be closed by others at any
time and LISTEN lives with its session.
"""

import os

import psycopg

from notifications.models.wakeup import CHANNEL, connection_parameters


class Listener:
    """A lazily opened connection that waits for wake-ups; one of its own in each process."""

    def __init__(self) -> None:
        self._pid = 0
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def wait(self, seconds: float) -> None:
        """Return at a wake-up, or after `seconds`. Raises psycopg.Error if the database is away.

        After connecting it returns at once: what was announced before LISTEN must be looked for.
        """
        if self._connection is None or self._connection.closed or self._pid != os.getpid():
            self._connect()
            return
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass

    def close(self) -> None:
        """Let go of the connection; the next wait opens another one."""
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = None

    def _connect(self) -> None:
        self._connection = psycopg.connect(**connection_parameters(), autocommit=True)
        self._pid = os.getpid()
        self._connection.execute(f"LISTEN {CHANNEL}")
