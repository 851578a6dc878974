"""Row 10b: a worker stands still for longer than its lease, and then goes on."""

import os
import signal
from uuid import uuid4

import pytest

from notifications.models import Delivery, Handoff, Message, State
from notifications.models.lease import LEASE_SECONDS
from tests.conftest import wait_until
from tests.faults.gate import Gate
from tests.faults.row import Row
from tests.faults.steps import by_smtp, leases_end
from tests.peers import SmtpPeer

_MESSAGES = 10


@pytest.mark.faults("10b", "a worker paused past its lease, then resumed")
def test_a_worker_that_lost_its_lease_begins_nothing_more_of_its_batch(row: Row) -> None:
    gate = Gate()
    script = [gate.action, *[None] * _MESSAGES]
    with (
        SmtpPeer(on={"dot": script}) as sink,
        row.system(by_smtp(sink), LIMBO_THREADS="1") as system,
    ):
        row.submit(_MESSAGES)
        system.start_worker("paused")
        wait_until(lambda: sink.ended, seconds=60)
        begun = {envelope.handoff_id for envelope in sink.ended}
        first_batch = {str(id_) for id_ in Handoff.objects.values_list("id", flat=True)}
        assert len(first_batch) == _MESSAGES
        os.killpg(system.pid("paused"), signal.SIGSTOP)
        system.start_worker("other")
        # the pause is real: the paused worker's own clock must see it
        wait_until(
            lambda: not Delivery.objects.filter(state=State.SENDING).exists(),
            seconds=LEASE_SECONDS + 60,
        )
        gate.open()
        os.killpg(system.pid("paused"), signal.SIGCONT)
        wait_until(
            lambda: Delivery.objects.filter(state=State.SENT).count() >= _MESSAGES - 1, seconds=120
        )
        row.drain()
        verdict = row.judge(sink)
    late = {envelope.handoff_id for envelope in sink.ended} & (first_batch - begun)
    assert late == set()
    # the one that was on the wire may stay in doubt: its answer came when its time was over
    assert verdict.handed_off == _MESSAGES
    assert verdict.uncertain <= 1


@pytest.mark.quick
@pytest.mark.faults("10b", "a worker whose lease went to another before its in-flight commit")
def test_a_worker_that_lost_its_lease_before_the_commit_begins_nothing(
    row: Row, sink: SmtpPeer
) -> None:
    with row.system(by_smtp(sink), LIMBO_WORKERS="1") as system:
        system.arm("batch_taken=stop")
        claimed = row.submit(_MESSAGES)
        system.start_worker()
        child = wait_until(lambda: system.failed_at("batch_taken"), seconds=60)
        # as if it had run out and another worker had claimed them
        Message.objects.update(lease_token=uuid4())
        os.kill(child, signal.SIGCONT)
        (other,) = row.submit(1)
        wait_until(lambda: Message.objects.get(id=other).state == State.SENT, seconds=60)
        assert not Handoff.objects.filter(message__in=claimed).exists()
        leases_end()
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES + 1, 0)
