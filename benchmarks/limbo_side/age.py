"""`python -m benchmarks.limbo_side.age N`: N messages that were sent long ago.

They are copies of one that really was sent, with all of its history.
"""

import sys

import django

django.setup()

from benchmarks.limbo_side.copies import copy_finished  # noqa: E402 - Django must be set up first
from benchmarks.limbo_side.sequence import sequence  # noqa: E402
from notifications.models import Message, State  # noqa: E402

_STEP = 50_000
"""Copies in one transaction."""


def age(count: int) -> None:
    """Store `count` messages; one has been sent here before, and nothing is under way."""
    sequence()
    sample = Message.objects.filter(state=State.SENT).latest("id")
    for done in range(0, count, _STEP):
        copy_finished(sample.pk, min(_STEP, count - done))


if __name__ == "__main__":
    age(int(sys.argv[1]))
