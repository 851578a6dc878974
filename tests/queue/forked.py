"""A process of a cluster that does to its board what it is told."""

import os
import signal
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

from notifications.queue.board import Board

_fork = get_context("fork")


class Forked:
    """A child that owns nothing until it is told to; killed at the end."""

    def __init__(self, board: Board) -> None:
        self._ours, theirs = _fork.Pipe()
        self._process = _fork.Process(target=_obey, args=(board, theirs), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The child's id."""
        return self._process.pid or 0

    def do(self, verb: str, *args: Any) -> Any:
        """Have the child call the board's method, and return what it returns."""
        self._ours.send((verb, args))
        return self._ours.recv()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._process.join()


def _obey(board: Board, orders: Connection) -> None:
    while True:
        verb, args = orders.recv()
        orders.send(getattr(board, verb)(*args))


def worker(board: Board) -> Forked:
    """A child that owns a slot; use it as a context."""
    return _Worker(board)


class _Worker(Forked):
    def __enter__(self) -> Self:
        super().__enter__()
        self.do("own_slot")
        return self
