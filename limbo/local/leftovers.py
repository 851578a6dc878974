"""What a killed run leaves behind, and how the next one ends it.

A run that is killed by SIGKILL cannot stop its processes. The kernel tells them (see
`limbo.local.parent`), but they need time to end, and one that hangs never does. So a run notes
each process as soon as it has started it, by pid and time of start, and gives it a mark in its
environment that its own children inherit; the next run ends whatever is still there.
"""

import json
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self
from uuid import uuid4

from limbo.local.errors import RunError
from limbo.local.files import write_private
from limbo.local.processes import Process, boot_id, descendants, running

MARK = "LIMBO_STARTED_AS"
"""The variable that shows which run a process belongs to, and as what."""

GRACE_SECONDS = 12.0
"""How long what was left behind may take to end: as long as a worker may."""

_KILLED_SECONDS = 10.0
_TICK = 0.05


class Started:
    """The processes that one run has started, kept in a file for the run that comes after it."""

    def __init__(self, file: Path, run_id: str) -> None:
        self._file = file
        self._run_id = run_id
        self._noted: dict[str, tuple[int, int]] = {}

    @classmethod
    def begin(cls, file: Path) -> Self:
        """Of a new run."""
        return cls(file, uuid4().hex)

    def mark(self, name: str) -> Mapping[str, str]:
        """What the process called `name` must have in its environment."""
        return {MARK: f"{self._run_id}.{name}"}

    def note(self, name: str, pid: int) -> None:
        """Keep a process that was just started, in the place of an earlier one of that name."""
        process = Process.find(pid)
        if process is None:
            return
        self._noted[name] = (pid, process.started)
        content = {"boot": boot_id(), "run": self._run_id, "processes": self._noted}
        write_private(self._file, json.dumps(content))

    def forget(self) -> None:
        """All have ended."""
        self._file.unlink(missing_ok=True)


class _Leftover:
    """One program of an earlier run, with all that came from it."""

    def __init__(self, name: str, pid: int, started: int, run_id: str) -> None:
        self.name = name
        self._pid = pid
        self._started = started
        self._mark = f"{MARK}={run_id}.{name}"

    def first(self) -> Process | None:
        """The process that was noted; None when it has ended, whoever has its pid now."""
        process = Process.find(self._pid)
        return process if process and process.is_same(self._pid, self._started) else None

    def all(self) -> list[Process]:
        """Every process that is left of it."""
        everybody, first = running(), self.first()
        family = [first, *descendants(first, everybody)] if first else []
        orphans = [one for one in everybody if one.has_in_environment(self._mark)]
        return list(dict.fromkeys([*family, *orphans]))

    def end(self) -> None:
        """Ask it to end, and make it after the grace time. Raises RunError if it lives on."""
        # PostgreSQL's SIGTERM would wait for its clients
        polite = signal.SIGINT if self.name == "postgres" else signal.SIGTERM
        first = self.first()
        _send(polite, [first] if first else self.all())
        if self._is_gone_within(GRACE_SECONDS):
            return
        _send(signal.SIGKILL, self.all())
        if not self._is_gone_within(_KILLED_SECONDS):
            pids = ", ".join(str(process.pid) for process in self.all())
            raise RunError(f"{self.name} of an earlier run cannot be ended (pid {pids})")

    def _is_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.all():
            if time.monotonic() > deadline:
                return False
            time.sleep(_TICK)
        return True


def end_leftovers(file: Path, say: Callable[[str], None]) -> None:
    """End what the run that wrote `file` has left behind, and remove the file.

    The worker ends first and the database last, as in a run's own end. `say` is told of each.
    Raises RunError when something cannot be ended.
    """
    for leftover in sorted(_read(file), key=_turn):
        if leftover.all():
            say(f"Ending {leftover.name}, which a run that was killed left behind …")
            leftover.end()
    file.unlink(missing_ok=True)


def _read(file: Path) -> list[_Leftover]:
    if not file.exists():
        return []
    content = json.loads(file.read_text())
    # pids of before the machine's start name nothing of ours
    if content["boot"] != boot_id():
        return []
    noted: dict[str, tuple[int, int]] = content["processes"]
    return [_Leftover(name, *process, run_id=content["run"]) for name, process in noted.items()]


def _turn(leftover: _Leftover) -> int:
    return {"worker": 0, "postgres": 2}.get(leftover.name, 1)


def _send(number: signal.Signals, processes: Iterable[Process]) -> None:
    for process in processes:
        process.send(number)
