"""The supervisor, with real processes below it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from limbo.local.child import Child, Service
from limbo.local.console import Console
from limbo.local.errors import RunError
from limbo.local.supervisor import Supervisor
from tests.conftest import wait_until

Stages = Sequence[dict[str, list[str]]]

STAY = ["sleep", "600"]
# says when it is told to end; the sleep in the background has the same output
TELL = ["sh", "-c", "trap 'echo told; exit 0' TERM; echo up; sleep 600 & wait"]
DEAF = ["sh", "-c", "trap '' TERM; echo up; sleep 600 & wait; wait"]


class Supervised:
    """A supervisor in a process of its own, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def line(self, text: str) -> str:
        """The next line that has `text` in it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return self.lines[-1]
        pytest.fail(f"{text!r} was not printed: {self.lines}")

    def pids(self) -> dict[str, int]:
        """The next pids that it tells."""
        found: dict[str, int] = json.loads(self.line("pids ").removeprefix("pids "))
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """End it by a signal; returns how long that took."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        assert self.process.wait(30) == 0
        return time.monotonic() - began


@contextmanager
def supervised(stages: Stages, grace: float = 8.0) -> Iterator[Supervised]:
    """Run the stages below a supervisor."""
    command = [sys.executable, "-m", "tests.local.supervised", json.dumps(stages), str(grace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Supervised(process)
        finally:
            process.kill()


def test_a_process_that_dies_is_started_again_and_that_is_said() -> None:
    with supervised([{"web": STAY}]) as it:
        first = it.pids()["web"]
        os.kill(first, signal.SIGKILL)
        assert it.line("web was") == "web was killed by SIGKILL; it is started again in 0.5 s"
        assert it.pids()["web"] == 0
        assert it.line("web runs").startswith("web runs again (pid ")
        second = it.pids()["web"]
        assert second not in {0, first}
        it.stop()
    assert gone(second)


def test_one_that_keeps_dying_is_started_less_and_less_often() -> None:
    with supervised([{"worker": ["sh", "-c", "echo hello; exit 3"]}]) as it:
        assert it.line("worker   |") == "worker   | hello"
        for delay in ("0.5", "1", "2"):
            assert it.line("worker ended").endswith(f"it is started again in {delay} s")
        it.stop()


def test_an_end_as_if_all_were_well_counts_as_a_death() -> None:
    with supervised([{"worker": ["true"]}]) as it:
        assert it.line("worker ended").startswith("worker ended with exit code 0; it is started")


def test_what_cannot_be_started_again_is_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho up\nexec sleep 600\n")
    program.chmod(0o700)
    with supervised([{"web": [str(program)]}]) as it:
        pid = it.pids()["web"]
        it.line("| up")
        program.rename(tmp_path / "away")
        os.kill(pid, signal.SIGKILL)
        assert "cannot be started" in it.line("started again in 1 s")
        (tmp_path / "away").rename(program)
        it.line("web runs again")
        it.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_in_the_opposite_order(number: signal.Signals) -> None:
    with supervised([{"sink": TELL}, {"web": TELL, "worker": TELL}]) as it:
        pids = it.pids()
        for _ in pids:
            it.line("| up")
        assert it.stop(number) < 5
    told = [line.split()[0] for line in it.lines if line.endswith("told")]
    assert sorted(told[:2]) == ["web", "worker"]
    assert told[2] == "sink"
    assert all(gone(pid) for pid in pids.values())


def test_what_does_not_obey_is_killed_with_its_children() -> None:
    with supervised([{"worker": DEAF}], grace=0.5) as it:
        pid = it.pids()["worker"]
        it.line("| up")
        assert it.stop() < 5
    assert "worker did not end by itself; it is killed" in it.lines
    assert not group(pid)


def test_children_that_a_process_leaves_behind_end_before_its_successor_starts() -> None:
    with supervised([{"worker": DEAF}], grace=0.5) as it:
        first = it.pids()["worker"]
        it.line("| up")
        assert len(group(first)) > 1
        os.kill(first, signal.SIGKILL)
        it.line("worker runs again")
        assert not group(first)
        it.stop()


def test_a_terminals_ctrl_c_does_not_reach_the_processes() -> None:
    with supervised([{"web": STAY}]) as it:
        pid = it.pids()["web"]
        assert os.getsid(pid) == pid
        it.stop()


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_processes_end_when_the_supervisor_is_killed() -> None:
    with supervised([{"web": STAY}]) as it:
        pid = it.pids()["web"]
        it.process.kill()
        wait_until(lambda: gone(pid))


@pytest.fixture
def quiet() -> Iterator[Console]:
    """A console that nobody reads."""
    console = Console(io.StringIO())
    yield console
    console.close()


def test_a_process_that_ends_while_others_wait_for_it_is_an_error(quiet: Console) -> None:
    supervisor = Supervisor(quiet, lambda: None)
    supervisor.start([child(quiet, "web", "exit 7")])
    with pytest.raises(RunError, match="web ended with exit code 7 at its start"):
        supervisor.wait_until(lambda: False, seconds=10)
    supervisor.stop()


def test_a_process_that_is_killed_while_others_wait_for_it_is_started_anew(quiet: Console) -> None:
    supervisor = Supervisor(quiet, lambda: None)
    worker = child(quiet, "worker", "exec sleep 600")
    supervisor.start([worker])
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    assert supervisor.wait_until(lambda: worker.pid not in {0, first}, seconds=60)
    supervisor.stop()


def test_waiting_ends_in_time(quiet: Console) -> None:
    supervisor = Supervisor(quiet, lambda: None)
    assert supervisor.wait_until(lambda: True, seconds=0)
    assert not supervisor.wait_until(lambda: False, seconds=0.01)


def test_a_command_that_fails_is_an_error(quiet: Console) -> None:
    supervisor = Supervisor(quiet, lambda: None)
    supervisor.run_to_end(child(quiet, "migrate", "exit 0"))
    with pytest.raises(RunError, match="migrate failed: ended with exit code 2; its log is above"):
        supervisor.run_to_end(child(quiet, "migrate", "exit 2"))


def test_a_program_that_is_not_there_is_an_error(quiet: Console, tmp_path: Path) -> None:
    missing = Child(Service("web", [str(tmp_path / "none")], {}, tmp_path), quiet)
    with pytest.raises(RunError, match="web cannot be started: "):
        Supervisor(quiet, lambda: None).start([missing])
    assert missing.pid == 0


def child(console: Console, name: str, script: str) -> Child:
    """A shell script to run."""
    return Child(Service(name, ["sh", "-c", script], os.environ, Path.cwd()), console)


def gone(pid: int) -> bool:
    """Whether the process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    # its new parent has not taken notice yet
    return state == "Z"


def group(leader: int) -> list[int]:
    """The processes of a group that run."""
    found = subprocess.run(
        ["pgrep", "--pgroup", str(leader)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in found.stdout.split() if not gone(int(pid))]
