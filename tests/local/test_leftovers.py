"""What a killed run left behind is ended by the next, and nothing else is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from limbo.local import leftovers
from limbo.local.leftovers import Started, end_leftovers
from limbo.local.processes import Process
from tests.conftest import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this /proc")

# not deaf to SIGINT, as what a shell starts in the background is
STAY = ["env", "--default-signal=INT", "sleep", "600"]
DEAF = ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"]
# its child leaves the session, as a careful daemon does
FORKS = ["sh", "-c", "setsid sleep 600 & echo $!; wait"]


class Programs:
    """Programs that a run starts, each with its mark, and that nobody stops."""

    def __init__(self, file: Path) -> None:
        self.started = Started.begin(file)
        self.running: list[subprocess.Popen[str]] = []

    def start(self, name: str, argv: Sequence[str]) -> subprocess.Popen[str]:
        """Start one and note it."""
        process = subprocess.Popen(
            argv,
            env={**os.environ, **self.started.mark(name)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.running.append(process)
        self.started.note(name, process.pid)
        return process


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a run keeps what it has started."""
    return tmp_path / "started.json"


@pytest.fixture
def programs(file: Path) -> Iterator[Programs]:
    """A run's programs; they end with the test."""
    programs = Programs(file)
    yield programs
    for process in programs.running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a program prints."""
    assert process.stdout is not None
    return str(process.stdout.readline()).strip()


def test_what_still_runs_is_ended_the_worker_first_and_the_database_last(
    programs: Programs, file: Path
) -> None:
    running = [programs.start(name, STAY) for name in ("postgres", "sink", "worker")]
    said: list[str] = []
    end_leftovers(file, said.append)
    assert [text.split(",")[0] for text in said] == [
        "Ending worker",
        "Ending sink",
        "Ending postgres",
    ]
    assert [process.wait(1) for process in running] == [
        -signal.SIGINT,
        -signal.SIGTERM,
        -signal.SIGTERM,
    ]
    assert not file.exists()


def test_what_does_not_obey_is_killed(
    programs: Programs, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GRACE_SECONDS", 0.3)
    worker = programs.start("worker", DEAF)
    line(worker)
    end_leftovers(file, lambda _: None)
    assert worker.wait(1) == -signal.SIGKILL


def test_a_child_that_lost_its_parent_is_known_by_its_mark(programs: Programs, file: Path) -> None:
    worker = programs.start("worker", FORKS)
    child = int(line(worker))
    worker.kill()
    worker.wait()
    assert Process.find(child)
    end_leftovers(file, lambda _: None)
    assert Process.find(child) is None


def test_children_without_a_mark_end_with_their_parent(
    programs: Programs, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GRACE_SECONDS", 0.3)
    script = "trap '' TERM; env -i sleep 600 & echo $!; while :; do sleep 1; done"
    worker = programs.start("worker", ["sh", "-c", script])
    child = int(line(worker))
    end_leftovers(file, lambda _: None)
    assert Process.find(child) is None


def test_another_process_that_has_a_noted_pid_by_now_is_left_alone(
    programs: Programs, file: Path
) -> None:
    web = programs.start("web", STAY)
    content = json.loads(file.read_text())
    content["run"] = "of-another-day"
    content["processes"]["web"][1] -= 1
    file.write_text(json.dumps(content))
    said: list[str] = []
    end_leftovers(file, said.append)
    assert (web.poll(), said) == (None, [])
    assert not file.exists()


def test_pids_of_before_the_machines_start_name_nothing(programs: Programs, file: Path) -> None:
    web = programs.start("web", STAY)
    file.write_text(json.dumps({**json.loads(file.read_text()), "boot": "an earlier one"}))
    end_leftovers(file, lambda _: None)
    assert web.poll() is None


def test_only_the_last_process_of_a_name_is_noted(programs: Programs, file: Path) -> None:
    first = programs.start("web", STAY)
    programs.start("web", STAY)
    assert first.pid not in json.loads(file.read_text())["processes"]["web"]


def test_the_notes_are_for_their_owner_only(programs: Programs, file: Path) -> None:
    programs.start("web", STAY)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_signal_reaches_the_process_that_was_meant_or_none(programs: Programs) -> None:
    web = programs.start("web", STAY)
    found = Process.find(web.pid)
    assert found
    Process(found.pid, found.parent, found.started - 1).send(signal.SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        web.wait(0.5)
    found.send(signal.SIGKILL)
    wait_until(lambda: Process.find(web.pid) is None)
