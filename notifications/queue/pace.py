"""How much one claim takes: what a worker has lately got out in a half a second.

What a batch costs beside its messages (the claim, the providers' standing, the commits) is shared
by all of them, so a long queue is worked off in large batches. But what comes meanwhile, however
urgent, waits until a worker is free again; so batches are large only while providers are quick. And
a queue that one claim empties is shared among the workers in small ones.
"""

import time

from notifications.queue.board import Board
from notifications.queue.claim import CLAIM_LIMIT

LONGEST_CLAIM = 500
"""So many messages at most: what a lost journal leaves in doubt, and a process holds in memory."""

AIM_SECONDS = 0.5
"""How long a batch may take its worker."""


class Pace:
    """Learns from the batches that have ended; lives in the pusher."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._limit = CLAIM_LIMIT
        self.is_queue_long = False
        """Whether the last claim took all it might: more is probably waiting."""
        self._under_way: dict[int, tuple[int, float]] = {}  # by number: messages, and since when

    @property
    def limit(self) -> int:
        """How many messages the next claim may take."""
        self._learn()
        return self._limit

    def claimed(self, count: int) -> None:
        """A claim took `count`; where the queue held no more, the next begins small again."""
        self.is_queue_long = count >= self._limit
        if not self.is_queue_long:
            self._limit = CLAIM_LIMIT

    def began(self, number: int, count: int) -> None:
        """A batch of `count` messages is handed over under its ticket's `number`."""
        self._under_way[number] = count, time.monotonic()

    def _learn(self) -> None:
        """Look at the batches that have ended since the last claim."""
        now, going_on = time.monotonic(), self._board.under_way()
        for number in self._under_way.keys() - going_on:
            count, since = self._under_way.pop(number)
            if count >= CLAIM_LIMIT:
                # in whole steps, since each limit is a statement of its own to the server
                fitting = int(count * AIM_SECONDS / (now - since)) // CLAIM_LIMIT * CLAIM_LIMIT
                self._limit = min(max(fitting, CLAIM_LIMIT), LONGEST_CLAIM)
