"""`python -m benchmarks.limbo_side.two_users N`: N finished messages of each of two users.

They are copies of one that really was sent, with all of its history, and with what they are found
by.
"""

import sys

import django

django.setup()

from benchmarks.limbo_side.copies import copy_finished  # noqa: E402 - Django must be set up first
from benchmarks.limbo_side.sequence import sequence  # noqa: E402
from notifications.history.search import write_terms  # noqa: E402
from notifications.models import Message, State, User  # noqa: E402

TAG = "welcome"
_STEP = 50_000
"""Copies in one transaction."""


def two_users(count: int) -> None:
    """Store them; one has been sent here before, and nothing is under way."""
    sequence()
    sample = Message.objects.filter(state=State.SENT).latest("id")
    sample.tags = [TAG]
    sample.save(update_fields=["tags"])
    other, _ = User.objects.get_or_create(username="another")
    for done in range(0, count, _STEP):
        # in turn, so that each user's lie among the other's
        for owner_id in (sample.owner_id, other.pk):
            copy_finished(sample.pk, min(_STEP, count - done), owner_id=owner_id)
        print(f"{2 * min(done + _STEP, count):,} messages", file=sys.stderr, flush=True)
    while write_terms():
        pass


if __name__ == "__main__":
    two_users(int(sys.argv[1]))
