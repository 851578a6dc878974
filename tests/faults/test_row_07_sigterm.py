"""Row 7: the worker is asked to end while all of it is busy."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from notifications.models import Message
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer
from tests.peers.actions import reply_after, stall

ON_THE_WIRE = 16
"""Two workers of eight threads."""


def to_main(system: System) -> None:
    """What systemd does with KillMode=mixed, and Docker."""
    os.kill(system.pid("worker"), signal.SIGTERM)


def to_group(system: System) -> None:
    """What systemd does by default, and a terminal."""
    os.killpg(system.pid("worker"), signal.SIGTERM)


def twice(system: System) -> None:
    """What somebody impatient does."""
    to_group(system)
    to_main(system)


def are_busy(sink: SmtpPeer) -> bool:
    """Whether every thread waits for an answer."""
    return len(sink.ended) >= ON_THE_WIRE


@pytest.mark.faults("7", "SIGTERM under load, a provider that answers after 3 s")
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(to_main, id="to the main process"),
        pytest.param(to_group, id="to the group", marks=pytest.mark.quick),
        pytest.param(twice, id="twice"),
    ],
)
def test_what_is_on_the_wire_ends_and_the_rest_is_let_go(
    row: Row, ask: Callable[[System], None]
) -> None:
    slow = reply_after("250 2.0.0 ok", seconds=3)
    with SmtpPeer(on={"dot": [slow] * ON_THE_WIRE}) as sink, row.system(by_smtp(sink)) as system:
        row.submit(300)
        system.start_worker()
        wait_until(lambda: are_busy(sink), seconds=60)
        asked_at = time.monotonic()
        ask(system)
        # an exit by force has another code: 0 says that it was in time
        assert wait_until(lambda: system.exit_code("worker") is not None)
        assert (system.exit_code("worker"), system.survivors()) == (0, []), system.log("worker")
        assert time.monotonic() - asked_at < 10
        assert len(sink.ended) == ON_THE_WIRE
        assert Message.objects.filter(state="sent").count() == ON_THE_WIRE
        assert not Message.objects.filter(lease_until__isnull=False).exists()
        system.start_worker()
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (300, 0)


@pytest.mark.faults("7", "SIGTERM under load, a provider that never answers")
def test_what_hangs_after_the_grace_is_killed_and_shown(row: Row) -> None:
    with SmtpPeer(on={"dot": [stall()] * ON_THE_WIRE}) as sink, row.system(by_smtp(sink)) as system:
        row.submit(100)
        system.start_worker()
        wait_until(lambda: are_busy(sink), seconds=60)
        to_main(system)
        wait_until(lambda: system.exit_code("worker") is not None)
        assert system.survivors() == []
        assert "is killed" in system.log("worker")
        system.start_worker()
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (100, ON_THE_WIRE)
