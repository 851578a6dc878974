"""Row 30: one user has a hundred thousand messages waiting when another sends his first."""

import time
from collections.abc import Sequence

import pytest
from django.conf import settings

from notifications.models import Delivery, Message, State, User
from notifications.queue.choices import cancel
from notifications.queue.pace import LONGEST_CLAIM
from tests.conftest import wait_until
from tests.factories import UserFactory
from tests.faults.records import Received
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.faults.steps import by_smtp
from tests.queue.line import queue_up

_FLOOD = 100_000

_IN_HAND = (settings.LIMBO_WORKERS + 1) * LONGEST_CLAIM
"""What the workers have already when a message comes, and what is in one batch with it."""


@pytest.mark.faults("30", "100,000 messages of one user, then one of another")
def test_another_users_first_message_waits_for_none_of_a_flood(row: Row) -> None:
    flood, other = UserFactory(), UserFactory()
    queue_up(flood, _FLOOD)
    row.accepted.update(Message.objects.values_list("id", flat=True))
    with SinkProcess(row.folder) as sink, row.system(by_smtp(sink)) as system:
        system.start_worker()
        wait_until(lambda: len(sink.received()) > 2 * _IN_HAND, seconds=120)
        (first,) = row.submit(1, owner=other)
        accepted_at = time.time()
        wait_until(lambda: Delivery.objects.get(message=first).state == State.SENT, seconds=60)
        passed = before(Message.objects.get(id=first), sink.received(), since=accepted_at)
        # the point is made: the rest would only take its time
        cancel_all(flood)
        row.drain()
        row.judge(sink)
    assert passed <= _IN_HAND


def cancel_all(owner: User) -> None:
    """Cancel what nobody has begun to send."""
    waiting = (
        Message.objects.owned_by(owner).filter(state=State.PENDING).values_list("id", flat=True)
    )
    while ids := list(waiting[:5000]):
        cancel(ids, by=owner)


def before(message: Message, received: Sequence[Received], *, since: float) -> int:
    """How many of the others' were taken from then until `message` was."""
    (own,) = (record for record in received if record.message_id == message.header_message_id)
    return sum(since < record.at < own.at for record in received)
