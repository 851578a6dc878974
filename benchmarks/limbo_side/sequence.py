"""`python -m benchmarks.limbo_side.sequence`: gives every event its position."""

import django

django.setup()

from notifications.history.positions import sequence_events  # noqa: E402 - after the setup
from notifications.models import EventQueue  # noqa: E402


def sequence() -> None:
    """Run the sequencer until nothing waits for it."""
    while EventQueue.objects.exists():
        sequence_events()


if __name__ == "__main__":
    sequence()
