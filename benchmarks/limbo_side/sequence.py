"""Gives every event its position; Django is set up before this is imported."""

from notifications.history.positions import sequence_events
from notifications.models import EventQueue


def sequence() -> None:
    """Run the sequencer until nothing waits for it."""
    while EventQueue.objects.exists():
        sequence_events()
