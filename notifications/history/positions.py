"""The sequencer: gives each event its place in the order that followers read.

Cursors over ids or times miss events whose transaction commits late. So each insert also queues the
event, and one sequencer at a time moves the queue to gap-free positions, after commit.
"""

from django.db import connection
from django.dispatch import Signal

_LIMIT = 10_000
"""Events in one transaction."""

events_sequenced = Signal()
"""Followers have something new to read; sent after the commit."""


def sequence_events() -> int:
    """Give positions to the events that have none yet; returns how many.

    Must run outside any transaction. If another sequencer is at work it does nothing: that one
    serves all.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT limbo_sequence_events(%s)", [_LIMIT])
        numbered = int(cursor.fetchone()[0])
    if numbered:
        events_sequenced.send(sender=sequence_events)
    return numbered
