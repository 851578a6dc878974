"""What the kernel knows of the system's processes: their families, and what each of them is."""

import os
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tests.conftest import wait_until


@dataclass(frozen=True, slots=True)
class Cluster:
    """The processes of one `qcluster`, in the order in which django-q2 starts them."""

    main: int
    sentinel: int
    workers: tuple[int, ...]
    monitor: int
    pusher: int


def cluster_of(main: int, *, workers: int | None = None) -> Cluster:
    """The family of a `qcluster` that has just started, waited for until it is complete.

    It has as many `workers` as the settings say, unless the test says otherwise.
    """
    workers = workers or settings.LIMBO_WORKERS

    def family() -> list[int]:
        sentinels = children_of(main)
        members = children_of(sentinels[0]) if sentinels else []
        return [sentinels[0], *members] if len(members) >= workers + 2 else []

    sentinel, *members = wait_until(family, seconds=60)
    return Cluster(main, sentinel, tuple(members[:workers]), *members[workers : workers + 2])


def children_of(pid: int) -> list[int]:
    """The process's living children, the oldest first; none when it is gone."""
    try:
        names = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(name) for name in names]


def in_session(session: int) -> list[int]:
    """The living processes of a session, whoever their parent is now; zombies are not alive."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _session_of(pid) == session]


def _session_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        # the name stands in brackets and may hold anything
        state = stat.rpartition(") ")[2][0]
        return 0 if state == "Z" else os.getsid(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0
