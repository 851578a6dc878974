"""The cluster's processes: what django-q2 does for ordinary tasks still holds on our board."""

import os
import signal
from pathlib import Path

import pytest
from django_q.models import Task
from django_q.tasks import async_task

from tests.conftest import wait_until
from tests.e2e.processes import children_of, cluster_of
from tests.e2e.system import System
from tests.peers import SmtpPeer

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_a_task_that_does_not_heed_its_time_out_is_killed_with_its_worker(tmp_path: Path) -> None:
    # of two workers ordinary tasks get one: the second task has to wait for the first one's end
    with (
        SmtpPeer() as peer,
        System(tmp_path, f"first=smtp://127.0.0.1:{peer.port}", LIMBO_WORKERS="2") as system,
    ):
        system.start_worker()
        cluster = cluster_of(system.pid("worker"), workers=2)
        async_task("tests.queue.stubborn.hang", timeout=1)
        second = async_task("math.factorial", 5)
        wait_until(lambda: Task.objects.filter(id=second).exists(), seconds=60)
        workers = set(cluster.workers) & set(children_of(cluster.sentinel))
        assert len(workers) == 1
        assert system.stop("worker", seconds=20) == 0


def test_a_cluster_that_is_asked_to_end_while_it_starts_ends_in_good_order(tmp_path: Path) -> None:
    with SmtpPeer() as peer, System(tmp_path, f"first=smtp://127.0.0.1:{peer.port}") as system:
        system.start_worker()
        main = system.pid("worker")
        # the sentinel is there, and still on its way to being one
        wait_until(lambda: children_of(main), seconds=60)
        os.killpg(main, signal.SIGTERM)
        assert wait_until(lambda: system.exit_code("worker") is not None)
        assert (system.exit_code("worker"), system.survivors()) == (0, []), system.log("worker")
