"""The cluster's main process: starts the sentinel, watches, and ends everything in good order.

    main ── sentinel ─┬─ worker (LIMBO_WORKERS of them)
                      ├─ monitor
                      └─ pusher, which runs the broker

It takes the place of django-q2's own, whose signal handler waits for all that was ever handed over,
and which ends as if all were well when its sentinel is killed.
"""

import gc
import logging
import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing import get_context
from typing import NoReturn

from django.db import connections
from django_q.conf import Conf

from notifications.delivery.stop_flag import stop_flag
from notifications.models.lease import Lease
from notifications.queue.board import Board
from notifications.queue.marks import Marks
from notifications.queue.orphans import tie_children
from notifications.queue.sentinel import guard
from notifications.queue.watchdog import LOOK_SECONDS, Watchdog

logger = logging.getLogger(__name__)

GRACE_SECONDS = 8.0
"""How long what is on the wire may take, once the stop flag is set."""

_GRACE = GRACE_SECONDS + 0.5
"""With a worker's time to record what came of it."""

CYCLES_AFTER = 20_000
"""So many objects more than at the last look there are before a process looks for cycles."""

_LAST_SECONDS = 1.0
"""For what is left to do after the grace: then the main process ends, and with it everything."""


def run_cluster() -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code. Call it in the main thread."""
    stop_flag.clear()
    board = Board(Conf.WORKERS)
    Marks(board).connect()
    tie_children()
    # an open one would be shared with every child
    connections.close_all()
    # what is loaded by now stays: it need not be looked through again, nor copied in each child
    gc.collect()
    gc.freeze()
    # a batch makes thousands of objects and lets go of them all: a look at each few hundred of them
    # finds nothing
    gc.set_threshold(CYCLES_AFTER)
    return Cluster(board).serve()


class Cluster:
    """The sentinel and what it guards, as the main process sees them."""

    def __init__(self, board: Board) -> None:
        self._board = board
        fork = get_context("fork")
        self._stop_event = fork.Event()
        self._sentinel = fork.Process(
            target=guard, args=(board, self._stop_event, fork.Event()), name="Sentinel"
        )

    def serve(self) -> int:
        """Start, watch, and end when asked to; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            # the flag alone: a handler may interrupt whoever holds a lock
            signal.signal(number, lambda *_: stop_flag.set())
        self._sentinel.start()
        watchdog = Watchdog(self._board)
        while not stop_flag.is_set():
            if not self._sentinel.is_alive():
                self._give_up(f"the sentinel ended ({self._sentinel.exitcode})")
            if trouble := watchdog.look():
                self._give_up(trouble)
            self._sentinel.join(LOOK_SECONDS)
        return self._end()

    def _end(self) -> int:
        """End in good order; what hangs after the grace is killed, so that the rest can."""
        _exit_at_the_latest(after=_GRACE + _LAST_SECONDS)
        self._stop_event.set()
        self._sentinel.join(_GRACE)
        if self._sentinel.is_alive():
            self._kill_what_hangs()
            self._sentinel.join()
        return 1 if self._sentinel.exitcode else 0

    def _kill_what_hangs(self) -> None:
        for pid in filter(None, [*self._board.living(), self._board.pusher()]):
            logger.error("Process %d has not ended within %g s and is killed", pid, GRACE_SECONDS)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _give_up(self, trouble: str) -> NoReturn:
        """End for a supervisor to start anew: the queues of this cluster are not to be trusted."""
        logger.error("The cluster ends, to be started anew: %s", trouble)
        stop_flag.set()
        _exit_at_the_latest(after=_GRACE + _LAST_SECONDS)
        until = time.monotonic() + _GRACE
        while self._board.busy() and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        self._release_waiting()
        _exit()

    def _release_waiting(self) -> None:
        """Free what was handed over and never taken up; its lease would keep it for a minute."""
        for waiting in self._board.waiting():
            if waiting.token:
                Lease(waiting.token).release_all()


def _exit_at_the_latest(*, after: float) -> None:
    """Whatever hangs from now on: a lock of a process that was killed, or the database."""
    timer = threading.Timer(after, _exit)
    timer.daemon = True
    timer.start()


def _exit() -> NoReturn:
    """End this process, and by the kernel every child; SIGKILL spares the first of a container."""
    os._exit(1)
