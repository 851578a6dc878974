"""The sentinel: django-q2's process that starts workers, monitor and pusher, and replaces the dead.

Ours is deaf to SIGTERM, as are its children: only the main process decides when the cluster ends,
though a supervisor, or a terminal, may signal the whole group.
"""

import logging
import os
import signal
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any
from uuid import uuid4

from django_q.cluster import Sentinel

from notifications.queue.board import Board
from notifications.queue.broker import ClusterBroker

logger = logging.getLogger(__name__)

_REAP_SECONDS = 1.0


class LimboSentinel(Sentinel):
    """django-q2's sentinel on our board."""

    def __init__(self, board: Board, **events: Any) -> None:
        self._board = board
        broker = ClusterBroker(board)
        super().__init__(**events, cluster_id=uuid4(), broker=broker, start=False)

    def reincarnate(self, process: BaseProcess) -> None:
        """Replace a child; django-q2 ends one whose time is up by SIGTERM, to which it is deaf.

        Not one that has noticed by itself: it is about to end, and may hold the results' lock.
        """
        super().reincarnate(process)
        if process.is_alive() and process.pid in self._board.busy():
            process.kill()
            process.join(_REAP_SECONDS)


def guard(board: Board, stop_event: Event, start_event: Event) -> None:
    """Be the sentinel, until `stop_event` is set and everybody has ended."""
    # held back until it can be ignored: django-q2 makes it deadly at first
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    sentinel = LimboSentinel(board, stop_event=stop_event, start_event=start_event)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        sentinel.start()
    except Exception:
        logger.exception("The sentinel failed")
        # an ordinary end would wait for the children for ever; so they die with it
        os._exit(1)
