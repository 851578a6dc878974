"""What the broker does beside handing out work, from time to time."""

import time

from notifications.delivery.providers import sync_rows
from notifications.delivery.recovery import recover_journals
from notifications.history.positions import sequence_events
from notifications.history.roll_ups import count_events
from notifications.history.search import write_terms
from notifications.queue.bulk import resume_stalled
from notifications.queue.bulk_targets import remove_old_targets
from notifications.queue.resend import resend_uncertain
from notifications.queue.schedule import release_scheduled
from notifications.queue.sweep import sweep_expired

TICK_SECONDS = 1.0

RECOVER_SECONDS = 2.0
"""How often to look for workers of this machine that died."""

FOLLOW_SECONDS = 0.05
"""What a tick spends on roll-ups and search, give or take a step, if no long queue waits."""

_SEARCH_STEP = 500
"""Positions; if each is an accepted message with its ten terms, they take some 25 ms."""


class Housekeeping:
    """The work that needs no worker; all of it may raise a database's error."""

    def __init__(self) -> None:
        self._ticked_at = 0.0
        self._recovered_at = 0.0
        self._is_behind = False

    def tick(self, *, is_queue_long: bool = False) -> None:
        """Do what is due; call it often.

        Mail goes first: of roll-ups and search there is only a step while the queue is long.
        """
        now = time.monotonic()
        if now - self._ticked_at < TICK_SECONDS:
            return
        if not self._ticked_at:
            sync_rows()
        self._ticked_at = now
        # before the sweeper, which knows less
        if now - self._recovered_at >= RECOVER_SECONDS:
            self._recovered_at = now
            recover_journals()
        sweep_expired()
        resend_uncertain()
        release_scheduled()
        resume_stalled()
        remove_old_targets()
        sequence_events()
        until = time.monotonic() + (0 if is_queue_long else FOLLOW_SECONDS)
        while (is_behind := _follow()) and time.monotonic() < until:
            pass
        self._is_behind = is_behind

    def catch_up(self) -> bool:
        """Go a step on with what ticks have left, when no mail waits; whether there was any."""
        if self._is_behind:
            self._is_behind = bool(sequence_events()) | _follow()
        return self._is_behind


def _follow() -> bool:
    """Make something of new events, a step each; whether there were any."""
    return bool(count_events() + write_terms(limit=_SEARCH_STEP))
