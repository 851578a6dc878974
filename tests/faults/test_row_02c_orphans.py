"""Row 2c: the main process or the sentinel is killed in the middle of sending."""

import os
import signal

import pytest

from tests.conftest import wait_until
from tests.e2e.processes import children_of
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.faults.supervisor import Supervisor
from tests.peers import SmtpPeer
from tests.peers.actions import reply_after


@pytest.mark.quick
@pytest.mark.faults("2c", "main process or sentinel killed -9 while workers send")
@pytest.mark.parametrize("victim", ["main", "sentinel"])
def test_orphans_end_by_themselves_and_send_nothing_more(row: Row, victim: str) -> None:
    slow = reply_after("250 2.0.0 ok", seconds=0.5)
    with SmtpPeer(on={"dot": slow}) as sink, row.system(by_smtp(sink)) as system:
        row.submit(50)
        system.start_worker()
        main = system.pid("worker")
        wait_until(lambda: len(sink.ended) > 10, seconds=60)
        os.kill(main if victim == "main" else children_of(main)[0], signal.SIGKILL)
        assert wait_until(lambda: system.exit_code("worker")) in (1, -signal.SIGKILL)
        wait_until(lambda: not system.survivors())
        with Supervisor(system):
            row.drain()
            verdict = row.judge(sink)
    assert verdict.handed_off == 50
    # two workers of eight threads, each with one hand-off on the wire at most
    assert verdict.uncertain <= 16
