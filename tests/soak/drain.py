"""The end of the faults: everything goes out that can."""

import time
from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from notifications.delivery.breaker import use_again
from notifications.models import Delivery, Provider, State, User
from notifications.queue.choices import retry_now
from tests.faults.row import Row

DRAIN_SECONDS = 300.0
_AGAIN_SECONDS = 2.0
_SOON = timedelta(seconds=2)


def drain(row: Row, staff: User, tick: Callable[[], None]) -> bool:
    """Wait until nothing waits, goes or is leased; answers whether that came in time.

    What waits for its next try is tried now, and a provider that is left alone is used again, both
    as staff would do it in the admin. Leases take their time.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    while not row.is_drained():
        if time.monotonic() > deadline:
            return False
        _hurry(staff)
        tick()
        time.sleep(_AGAIN_SECONDS)
    return True


def _hurry(staff: User) -> None:
    for name in Provider.objects.values_list("name", flat=True):
        use_again(name)
    waiting = Delivery.objects.filter(state=State.PENDING, due_at__gt=timezone.now() + _SOON)
    retry_now(set(waiting.values_list("message_id", flat=True)), by=staff)
