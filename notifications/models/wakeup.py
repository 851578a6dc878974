"""The wake-up: tells the brokers that something is due, so that they need not wait for their poll.

It is a hint and may be lost: polling finds what it missed. NOTIFY runs outside the transaction that
stored the message, since inside one it makes the whole server commit one at a time.
"""

import os
import threading
from typing import Any

import psycopg
from django.db import connection

CHANNEL = "limbo_due"

_PAUSE_SECONDS = 0.02
"""At most one NOTIFY in this time; a call meanwhile is answered by the next one."""

_IDLE_SECONDS = 5
"""An idle notifier ends, and its connection with it."""


class _Notifier:
    """A thread with a connection of its own that turns calls into throttled NOTIFYs."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        with self._lock:
            self._asked.set()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, args=[connection_parameters()], daemon=True, name="wakeup"
                )
                self._thread.start()

    def _run(self, parameters: dict[str, Any]) -> None:
        while self._is_asked():
            try:
                self._notify_while_asked(parameters)
            except psycopg.Error:
                # when the database is back, the brokers' poll finds what is due
                self._asked.clear()

    def _is_asked(self) -> bool:
        """Whether to go on; if not, the next call starts another thread."""
        with self._lock:
            if not self._asked.is_set():
                self._thread = None
            return self._thread is not None

    def _notify_while_asked(self, parameters: dict[str, Any]) -> None:
        with psycopg.connect(**parameters, autocommit=True) as own:
            while self._asked.wait(_IDLE_SECONDS):
                self._asked.clear()
                own.execute(f"NOTIFY {CHANNEL}")
                threading.Event().wait(_PAUSE_SECONDS)


def connection_parameters() -> dict[str, Any]:
    """How Django connects, without its cursor and adapters: for a connection of one's own."""
    parameters: dict[str, Any] = dict(connection.get_connection_params())
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    return parameters


_notifier = _Notifier()


def wake() -> None:
    """Tell the brokers soon that messages are due. Never blocks and never raises for the database.

    Call it after the commit that made them due.
    """
    global _notifier  # noqa: PLW0603 - a fork leaves the thread behind, so the child needs its own
    if _notifier.pid != os.getpid():
        _notifier = _Notifier()
    _notifier.ask()
