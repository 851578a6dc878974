"""Where a batch's hand-offs end: the crew's hands put, the batch's thread takes.

A thread that was woken for each end would take the interpreter away from what sends; it is
woken for the first one, and then when the flush is due, all have ended, or one calls for action.
"""

import threading
from collections import deque

from notifications.delivery.jobs import Ended
from notifications.delivery.reading import Reach
from notifications.delivery.standing import call_for_action

_REACHED = Reach.REACHED  # what is looked up in an enum each time takes ten times as long


class BatchResults:
    """The ends that the batch has not seen yet, in their order."""

    def __init__(self) -> None:
        self._ended: deque[Ended] = deque()
        self._any = threading.Event()
        self._enough = threading.Event()
        self._awaited = 0

    def put(self, ended: Ended, /) -> None:
        """Take one; called by the hands."""
        self._ended.append(ended)
        if not self._any.is_set():
            self._any.set()
        is_unusual = ended.reach is not _REACHED and call_for_action(list(self._ended))
        if is_unusual or len(self._ended) >= self._awaited:
            self._enough.set()

    def take(self, *, awaited: int, seconds: float, flush_seconds: float) -> list[Ended]:
        """Wait up to `seconds` for an end, then up to `flush_seconds` for others.

        `awaited` are as many as can come; with them all, the wait is over. Returns what came.
        """
        self._awaited = awaited
        if not self._any.wait(seconds):
            return []
        if len(self._ended) < awaited:
            self._enough.wait(flush_seconds)
        # before they are taken: what comes meanwhile is announced again
        self._any.clear()
        self._enough.clear()
        return self.take_now()

    def take_now(self) -> list[Ended]:
        """What there is."""
        return [self._ended.popleft() for _ in range(len(self._ended))]
