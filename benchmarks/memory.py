"""Memory: what the worker processes hold, over a million messages."""

import time
from pathlib import Path

from benchmarks.contestants import LIMBO
from benchmarks.measures import Figure, Measure
from benchmarks.options import Options
from benchmarks.race import Setting, ready
from benchmarks.stage import Stage

_MESSAGES = 1_000_000
_LOOK_SECONDS = 1.0
_EARLY = 0.1
"""After this share of the messages everything is loaded that is loaded once."""


def measure(stage: Stage, options: Options) -> Measure:
    """One long run; the largest process counts."""
    count = options.scaled(_MESSAGES)
    with (
        ready(LIMBO, stage, count=count, setting=Setting()) as prepared,
        prepared.started() as running,
    ):
        watch = _Watch(running.workers[0].pid)
        running.wait(lambda: running.sink.count() >= count * _EARLY, look=watch.look)
        early = watch.largest()
        running.wait(lambda: running.sink.count() >= count, look=watch.look)
        late = watch.largest()
    return Measure(
        [],
        [
            Figure("messages", "messages", count),
            Figure("worker_early_mb", f"the largest process after {_EARLY:.0%} of them, MB", early),
            Figure("worker_late_mb", "the largest process at the end, MB", late),
            Figure("worker_most_mb", "the most that any had meanwhile, MB", watch.most),
        ],
    )


class _Watch:
    """Looks at the processes of one group each second."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._next_at = 0.0
        self.most = 0.0

    def look(self) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _LOOK_SECONDS
            self.most = max(self.most, self.largest())

    def largest(self) -> float:
        """The resident megabytes of the largest process, shared pages included."""
        return max(map(_resident_mb, self._members()), default=0.0)

    def _members(self) -> list[Path]:
        return [folder for folder in Path("/proc").glob("[0-9]*") if _group(folder) == self._group]


def _group(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except OSError:
        return 0


def _resident_mb(process: Path) -> float:
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
