"""The processes of this machine, as Linux's /proc shows them (proc(5)).

A pid alone names nothing for long: when its process is gone, another may get it. With the time of
its start it names one process for good.
"""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process that ran when it was looked at."""

    pid: int
    parent: int
    started: int
    """Clock ticks from the machine's start to its own."""

    @classmethod
    def find(cls, pid: int) -> Self | None:
        """The process with this pid; None when none runs, or it has ended and is still listed."""
        try:
            status = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # the second field is the program's name, which may hold anything
        state, parent, *fields = status.rpartition(")")[2].split()
        return None if state in "ZX" else cls(pid, int(parent), int(fields[17]))

    def is_same(self, pid: int, started: int) -> bool:
        """Whether it is the process that once was noted by these."""
        return (self.pid, self.started) == (pid, started)

    def has_in_environment(self, setting: str) -> bool:
        """Whether it began with `NAME=value`; False where we may not look."""
        with suppress(OSError):
            return setting.encode() in (_PROC / str(self.pid) / "environ").read_bytes().split(b"\0")
        return False

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens to another process that has its pid by now."""
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(self.pid)
            try:
                # the descriptor holds on to one process: is it the right one?
                now = Process.find(self.pid)
                if now and now.is_same(self.pid, self.started):
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)


def running() -> list[Process]:
    """All processes of the machine; none where there is no /proc."""
    pids = [int(entry.name) for entry in _PROC.glob("[0-9]*")]
    return [process for pid in pids if (process := Process.find(pid))]


def descendants(of: Process, among: Iterable[Process]) -> list[Process]:
    """The children of a process, their children, and so on."""
    found, family = [], {of.pid}
    # a child begins after its parent
    for process in sorted(among, key=lambda process: process.started):
        if process.parent in family and process.pid != of.pid:
            family.add(process.pid)
            found.append(process)
    return found


def boot_id() -> str:
    """A text that changes with each start of the machine; empty where there is none to read."""
    with suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return ""
