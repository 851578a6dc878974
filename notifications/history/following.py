"""Following: reading every event once, in the order of positions, and making something of it.

What a follower makes and how far it has come are committed together. So no event is missed and none
counts twice, whoever dies in between; a new follower begins with the first event there is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from notifications.models import EventPosition, Follower


@dataclass(frozen=True, slots=True)
class Stretch:
    """The positions after `after`, up to `until` included."""

    after: int
    until: int


@contextmanager
def next_stretch(name: str, *, limit: int) -> Iterator[Stretch | None]:
    """The next positions of the follower `name`, at most `limit`, in a transaction of their own.

    None if there are none, or if another process is reading them at this moment. When the context
    ends without an exception, they are read.
    """
    # in a transaction of its own: who makes it must not hold up the others
    Follower.objects.get_or_create(name=name)
    with transaction.atomic():
        after = _lock(name)
        last = EventPosition.objects.aggregate(last=Max("position"))["last"] or 0
        if after is None or after >= last:
            yield None
            return
        stretch = Stretch(after, min(after + limit, last))
        yield stretch
        Follower.objects.filter(name=name).update(position=stretch.until)


def is_behind(name: str) -> bool:
    """Whether there are positions that the follower has not read."""
    last = EventPosition.objects.aggregate(last=Max("position"))["last"] or 0
    return not Follower.objects.filter(name=name, position__gte=last).exists()


def _lock(name: str) -> int | None:
    """How far the follower is, with its row locked; None while another has it."""
    free = Follower.objects.select_for_update(skip_locked=True, no_key=True).filter(name=name)
    return free.values_list("position", flat=True).first()
