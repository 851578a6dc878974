"""What workers and monitor note on the board, at django-q2's signals.

They run between the locks of django-q2's queues, so they only write to memory and never raise.
"""

from typing import Any

from django_q.signals import post_execute, post_execute_in_worker, post_spawn, pre_execute

from notifications import failpoints
from notifications.queue.board import Board


class Marks:
    """The receivers of one cluster."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def connect(self) -> None:
        """Receive from now on, in this process and in all that it forks."""
        post_spawn.connect(self._spawned, weak=False)
        pre_execute.connect(self._begins, weak=False)
        post_execute_in_worker.connect(self._ended, weak=False)
        post_execute.connect(self._seen, weak=False)

    def _spawned(self, **_kwargs: Any) -> None:
        self._board.own_slot()

    def _begins(self, *, task: dict[str, Any], **_kwargs: Any) -> None:
        self._board.take_up(task["ack_id"])

    def _ended(self, *, task: dict[str, Any], **_kwargs: Any) -> None:
        failpoints.hit("in_post_execute", str(task["func"]))
        self._board.finish()

    def _seen(self, **_kwargs: Any) -> None:
        self._board.see()
