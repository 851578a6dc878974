"""Row 29b: an owner cancels a thousand messages while a worker claims them."""

import pytest

from notifications.models import Attempt, State
from notifications.queue.choices import cancel
from tests.conftest import wait_until
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.faults.steps import by_smtp

_MESSAGES = 1000


@pytest.mark.faults("29b", "cancel races the claim, 1,000 times")
def test_a_message_is_cancelled_and_never_sent_or_sent_and_not_cancelled(row: Row) -> None:
    with SinkProcess(row.folder) as sink, row.system(by_smtp(sink)) as system:
        ids = row.submit(_MESSAGES)
        system.start_worker()
        wait_until(sink.received, seconds=60)
        # the worker takes the oldest first: the cancelling comes to meet it, from the other end
        cancelled = {id_ for id_ in reversed(ids) if cancel([id_], by=row.owner())}
        row.drain()
        verdict = row.judge(sink)
    begun = set(Attempt.objects.values_list("delivery__message", flat=True))
    assert not cancelled & begun
    assert len(cancelled) + verdict.handed_off == _MESSAGES
    assert cancelled
    assert begun
    states = set(Attempt.objects.values_list("delivery__state", flat=True))
    assert states == {State.SENT}
