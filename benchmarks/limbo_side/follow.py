"""`python -m benchmarks.limbo_side.follow`: what Limbo makes of events while it runs, all of it.

Their positions, the roll-ups, and what messages are found by.
"""

import django

django.setup()

from benchmarks.limbo_side.sequence import sequence  # noqa: E402 - Django must be set up first
from notifications.history.roll_ups import count_events  # noqa: E402
from notifications.history.search import write_terms  # noqa: E402


def follow() -> None:
    """Do it until no event is left for it."""
    sequence()
    while count_events() + write_terms():
        pass


if __name__ == "__main__":
    follow()
