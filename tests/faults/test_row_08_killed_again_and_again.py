"""Row 8: the whole cluster is killed, ten times, at random moments of 5,000 messages."""

import random
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.faults.records import Step
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.faults.steps import by_smtp
from tests.faults.supervisor import Supervisor
from tests.faults.victims import kill_tree

_MESSAGES = 5000
_KILLS = 10
_ON_THE_WIRE = 2 * 8
"""Hand-offs of one cluster at once."""


@pytest.mark.timeout(1800)
@pytest.mark.faults("8", "whole cluster killed -9 ten times during 5,000 messages")
def test_nothing_is_lost_and_nothing_doubled(row: Row, tmp_path: Path) -> None:
    row.submit(_MESSAGES)
    moments = sorted(random.sample(range(1, _MESSAGES - 500), _KILLS))
    with (
        SinkProcess(tmp_path, delay=0.01) as sink,
        row.system(by_smtp(sink)) as system,
        Supervisor(system) as supervisor,
    ):
        while moments:
            wait_until(lambda: sink.count() >= moments[0], seconds=300)
            kill_tree(system.pid("worker"))
            moments.pop(0)
            wait_until(lambda: len(supervisor.endings) == _KILLS - len(moments), seconds=60)
        row.drain(seconds=600)
        verdict = row.judge(sink, doubt_from=Step.BEGAN)
    assert verdict.uncertain <= _KILLS * _ON_THE_WIRE
