"""The watchdog: says when a cluster looks alive and does not work.

It runs in the main process, which touches none of django-q2's locks and no database while it
looks: whatever hangs, it does not. It counts its own looks instead of reading a clock, so that a
machine that was suspended, or a cluster that was stopped for a while, is not taken for stuck.
"""

from collections import Counter
from collections.abc import Iterator

from notifications.queue.board import Board

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 10.0

_PATIENCE = round(PATIENCE_SECONDS / LOOK_SECONDS)


class Watchdog:
    """Looks at the board again and again, every LOOK_SECONDS."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._looks: Counter[str] = Counter()
        self._taken = 0
        self._seen = 0
        self._done = 0

    def look(self) -> str:
        """What has been wrong for PATIENCE_SECONDS, in words; "" when all is well."""
        wrong = set(self._wrong())
        for trouble in list(self._looks):
            if trouble not in wrong:
                del self._looks[trouble]
        self._looks.update(wrong)
        return next((what for what, looks in self._looks.items() if looks >= _PATIENCE), "")

    def _wrong(self) -> Iterator[str]:
        if self._is_not_taken_up():
            yield "what is handed over is not taken up"
        if self._is_not_seen():
            yield "what is done is not seen by the monitor"
        if len(self._board.living()) < self._board.workers:
            yield "a dead worker is not replaced"
        if not self._board.pusher():
            yield "the dead pusher is not replaced"

    def _is_not_taken_up(self) -> bool:
        before, self._taken = self._taken, self._board.taken
        return self._taken == before and bool(self._board.waiting())

    def _is_not_seen(self) -> bool:
        """Whether anything has ended since the monitor last did something.

        The totals are not compared: the result of a worker that was killed is never seen.
        """
        before, self._seen = self._seen, self._board.seen
        if self._seen != before:
            self._done = self._board.done
        return self._board.done > self._done
