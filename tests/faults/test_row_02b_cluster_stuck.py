"""Row 2b: one process of an idle cluster is killed, and the lock it held stays locked for ever."""

import os
import signal
from collections.abc import Callable

import pytest

from notifications.models.lease import LEASE_SECONDS
from tests.conftest import wait_until
from tests.e2e.processes import Cluster, cluster_of
from tests.e2e.system import System
from tests.faults.row import Row
from tests.faults.steps import by_smtp, leases_end
from tests.faults.supervisor import Supervisor
from tests.faults.victims import kill_at, kill_tree
from tests.peers import SmtpPeer

FAULT = "an idle process killed -9 that holds a lock"


def at_work(row: Row, system: System) -> Cluster:
    """The cluster, once it has sent something and is idle again."""
    cluster = cluster_of(system.pid("worker"))
    row.submit(5)
    row.drain()
    return cluster


def end_of(row: Row, sink: SmtpPeer, system: System) -> None:
    """Mail flows again, and nothing came twice."""
    row.submit(20)
    # sooner than a lease ends: what was handed over in vain is free at once
    row.drain(seconds=LEASE_SECONDS - 10)
    verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (25, 0), system.log("worker")


# the queues' readers: whichever idle worker waits for a task holds the lock on reading
STUCK: dict[str, tuple[Callable[[Cluster], tuple[int, ...]], str]] = {
    "a: workers": (lambda cluster: cluster.workers, "is not taken up"),
    "d: monitor": (lambda cluster: (cluster.monitor,), "is not seen"),
}


@pytest.mark.faults("2b", FAULT)
@pytest.mark.parametrize("case", STUCK)
def test_a_cluster_that_only_looks_alive_is_started_anew(
    row: Row, sink: SmtpPeer, case: str
) -> None:
    victims, trouble = STUCK[case]
    with row.system(by_smtp(sink)) as system, Supervisor(system) as supervisor:
        for pid in victims(at_work(row, system)):
            os.kill(pid, signal.SIGKILL)
        end_of(row, sink, system)
        wait_until(lambda: supervisor.endings == [1], seconds=60)
        assert trouble in system.log("worker")


@pytest.mark.faults("2b", FAULT + ", and no mail comes")
def test_an_idle_cluster_finds_by_its_beat_that_it_is_stuck(row: Row, sink: SmtpPeer) -> None:
    with row.system(by_smtp(sink)) as system, Supervisor(system) as supervisor:
        for pid in at_work(row, system).workers:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: supervisor.endings == [1], seconds=60)
        end_of(row, sink, system)


ENDED: dict[str, tuple[Callable[[Cluster], None], int]] = {
    "b: sentinel": (lambda cluster: os.kill(cluster.sentinel, signal.SIGKILL), 1),
    "c: tree": (lambda cluster: kill_tree(cluster.main), -signal.SIGKILL),
}


@pytest.mark.quick
@pytest.mark.faults("2b", FAULT)
@pytest.mark.parametrize("case", ENDED)
def test_a_cluster_without_its_head_ends_at_once_and_not_as_if_all_were_well(
    row: Row, sink: SmtpPeer, case: str
) -> None:
    kill, code = ENDED[case]
    with row.system(by_smtp(sink)) as system, Supervisor(system) as supervisor:
        kill(at_work(row, system))
        wait_until(lambda: supervisor.endings == [code], seconds=60)
        end_of(row, sink, system)


@pytest.mark.quick
@pytest.mark.faults("2b", FAULT + " (e: pusher)")
def test_a_dead_pusher_is_replaced_and_the_cluster_goes_on(row: Row, sink: SmtpPeer) -> None:
    with row.system(by_smtp(sink)) as system, Supervisor(system) as supervisor:
        os.kill(at_work(row, system).pusher, signal.SIGKILL)
        end_of(row, sink, system)
        assert supervisor.endings == []


@pytest.mark.faults("2b", "the pusher killed -9 with a claim in hand")
def test_what_a_dead_pusher_had_claimed_is_sent_when_its_lease_ends(
    row: Row, sink: SmtpPeer
) -> None:
    with row.system(by_smtp(sink)) as system:
        system.arm("after_claim=stop")
        with Supervisor(system) as supervisor:
            row.submit(5)
            kill_at("after_claim", system, "child")
            leases_end()
            row.drain()
            end_of(row, sink, system)
            assert supervisor.endings == []


@pytest.mark.faults("2b", "a child killed -9 inside post_execute_in_worker (f)")
def test_a_child_that_dies_with_its_timer_locked_stops_the_cluster_for_a_moment_only(
    row: Row, sink: SmtpPeer
) -> None:
    with row.system(by_smtp(sink)) as system:
        system.arm("in_post_execute=stop")
        with Supervisor(system) as supervisor:
            row.submit(5)
            kill_at("in_post_execute", system, "child")
            end_of(row, sink, system)
            wait_until(lambda: supervisor.endings == [1], seconds=60)
            assert "a dead worker is not replaced" in system.log("worker")
