"""A line every few seconds: how it goes."""

import time
from dataclasses import dataclass, field

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Count

from notifications.models import Delivery, State
from notifications.models.state import OPEN
from tests.soak.chaos import Chaos
from tests.soak.load import Tally

_EVERY_SECONDS = 5.0


@dataclass(slots=True)
class Progress:
    """Says how far the soak is."""

    tally: Tally
    chaos: Chaos
    _began: float = field(default_factory=time.monotonic)
    _said_at: float = 0.0
    _told: int = 0

    def tick(self) -> None:
        """Print a line if it is time for one."""
        now = time.monotonic()
        if now - self._said_at >= _EVERY_SECONDS:
            self._said_at = now
            self.say()

    def say(self) -> None:
        """Print a line."""
        passed = int(time.monotonic() - self._began)
        faults = self.chaos.made[self._told :]
        self._told = len(self.chaos.made)
        cells = [
            f"{passed // 60:02d}:{passed % 60:02d}",
            f"accepted {len(self.tally.accepted)} messages",
            _deliveries(),
            f"faults {self._told}",
        ]
        print("  ".join(cells) + "".join(f"; {fault.what}" for fault in faults), flush=True)


def count_by_state() -> dict[str, int]:
    """How many deliveries stand where."""
    rows = Delivery.objects.order_by().values_list("state").annotate(Count("id"))
    return dict(rows)


def _deliveries() -> str:
    try:
        counts = count_by_state()
    except DatabaseError:
        connection.close()
        return "the database is away"
    uncertain = counts.pop(State.UNCERTAIN, 0)
    backlog = sum(counts.pop(state, 0) for state in OPEN)
    sent = counts.pop(State.SENT, 0) + counts.pop(State.QUEUED, 0)
    refused = sum(counts.values())
    return f"sent {sent}  refused {refused}  uncertain {uncertain}  backlog {backlog}"
