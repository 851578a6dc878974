"""FairShare and QueueClock: by which each message gets its turn, fairly between users.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): each message starts, in virtual time, where
its owner's last one ended, but not before the virtual time of now; the queue is served in the order
of these starts. A user with a hundred thousand waiting messages is then far ahead in virtual time,
and another user's first message comes next.
"""

from django.conf import settings
from django.db import models

from notifications.models.fields import ChoiceField


class Priority(models.TextChoices):
    """How soon a message is to go out, beside its owner's others and everybody's."""

    URGENT = "urgent", "urgent"
    NORMAL = "normal", "normal"
    BULK = "bulk", "bulk"


HEAD_START = 1000
"""Turns by which an urgent message goes ahead of a normal one, and a normal one of bulk.

As many of one user's urgent messages pass the others' normal ones; more of them take turns, so that
nobody's flood of urgent mail stops everybody else's.
"""

OFFSET_SQL = (
    f"CASE priority WHEN 'urgent' THEN {-HEAD_START} WHEN 'bulk' THEN {HEAD_START} ELSE 0 END"
)
"""What a message's priority adds to its start: the sum is its turn."""

CLOCK_ID = 1
"""The key of QueueClock's single row."""


class FairShare(models.Model):
    """How far one user's messages of one priority reach in the queue's virtual time."""

    # the constraint below is its index
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+"
    )
    priority = ChoiceField(max_length=8, choices=Priority)
    finish = models.BigIntegerField(help_text="Where the next message starts, if not later.")

    class Meta:
        """One row for each user and priority; giving turns updates it by this index."""

        constraints = [
            models.UniqueConstraint(fields=["owner", "priority"], name="fairshare_owner_priority"),
        ]


class QueueClock(models.Model):
    """The queue's virtual time: how far the claim has come; see `queue.claim`. A single row."""

    turn = models.BigIntegerField()
