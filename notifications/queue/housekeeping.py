"""What the broker does beside handing out work, from time to time."""

import time

from notifications.delivery.providers import sync_rows
from notifications.history.positions import sequence_events
from notifications.queue.sweep import sweep_expired
from notifications.queue.turns import give_turns

TICK_SECONDS = 1.0


class Housekeeping:
    """The work that needs no worker; all of it may raise a database's error."""

    def __init__(self) -> None:
        self._ticked_at = 0.0

    def tick(self) -> None:
        """Do what is due; call it often."""
        if time.monotonic() - self._ticked_at < TICK_SECONDS:
            return
        if not self._ticked_at:
            sync_rows()
        self._ticked_at = time.monotonic()
        sweep_expired()
        give_turns()
        sequence_events()
