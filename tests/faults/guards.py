"""Is each guard needed? Take it out of a copy of Limbo, and see the test fail that watches it.

`python -m tests.faults.guards [NAME …]` prints a line a guard, and ends with 1 when a test passed
without its guard, or when a guard is no longer where it is named here. The checkout itself is never
touched. Each test is run with its guard in place first, so that it fails for no other reason.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.system import ROOT

_COPIED = ("limbo", "notifications", "templates", "tests", "docs")
_COPIED_FILES = ("manage.py", "pyproject.toml", "README.md", "Makefile")
_PASSED, _FAILED = 0, 1
"""pytest's exit codes when tests ran; the others say that none did."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A piece of code that keeps a promise, and the test that must miss it."""

    name: str
    edits: tuple["Edit", ...]
    test: tuple[str, ...]
    """What pytest is to run."""


@dataclass(frozen=True, slots=True)
class Edit:
    """How it is taken out of one file."""

    file: str
    code: str
    """It stands exactly once in the file."""
    instead: str = ""

    def apply(self, checkout: Path) -> bool:
        """Make the change; False when the code is not there."""
        file = checkout / self.file
        text = file.read_text(encoding="utf-8")
        if text.count(self.code) != 1:
            return False
        file.write_text(text.replace(self.code, self.instead), encoding="utf-8")
        return True


GUARDS = (
    Guard(
        "unique index attempt_one_live",
        (
            Edit(
                "notifications/migrations/0039_attempts_without_ids.py",
                "nulls_distinct=False",
                "nulls_distinct=True",
            ),
        ),
        ("tests/history/test_outcomes.py", "-k", "no_attempt_can_begin"),
    ),
    Guard(
        "outcomes fenced by their Attempt",
        (
            Edit(
                "notifications/history/outcomes.py",
                "        AND a.outcome = ANY(%(unsettled)s::text[])\n",
            ),
        ),
        ("tests/history/test_outcomes.py", "-k", "recorded_twice"),
    ),
    Guard(
        "in-flight commit fenced by the lease",
        (
            Edit(
                "notifications/history/changes.py",
                '"AND lease_token = %(token)s::uuid" if lease else ""',
                '""',
            ),
        ),
        ("tests/faults", "-k", "row_10b and before_the_commit"),
    ),
    Guard(
        "renewal by compare-and-set",
        (
            Edit(
                "notifications/models/lease.py",
                " AND lease_token = %s\n                RETURNING",
                " AND %s IS NOT NULL\n                RETURNING",
            ),
        ),
        ("tests/queue/test_claim.py", "-k", "renewed_only_by_its_holder"),
    ),
    Guard(
        "journal's line before the dot",
        (
            Edit(
                "notifications/delivery/squad.py",
                "        job.journal.begun(job.request.handoff_id)\n",
            ),
        ),
        ("tests/faults", "-k", "row_04"),
    ),
    Guard(
        "watchdog",
        (Edit("notifications/queue/watchdog.py", "if looks >= _PATIENCE", "if looks < 0"),),
        ("tests/faults", "-k", "row_02b and only_looks_alive and workers"),
    ),
    Guard(
        "stop flag",
        (
            Edit("notifications/delivery/squad.py", " or stop_flag.is_set()"),
            Edit("notifications/delivery/batch.py", "return stop_flag.is_set() or ", "return "),
        ),
        ("tests/faults", "-k", "row_07 and group"),
    ),
    Guard(
        "switches within a batch",
        (
            Edit(
                "notifications/delivery/switches.py",
                "if boottime() - self._looked_at < LOOK_SECONDS:",
                "if self._routes:",
            ),
        ),
        ("tests/delivery/test_switches.py", "-k", "goes_elsewhere"),
    ),
)


def main() -> int:
    """Try the guards that are named, or all; returns the exit code."""
    wanted = sys.argv[1:]
    chosen = [guard for guard in GUARDS if not wanted or guard.name in wanted]
    width = max(len(guard.name) for guard in GUARDS)
    told = []
    for guard in chosen:
        told.append(_try(guard))
        print(f"{guard.name.ljust(width)} | {told[-1]}", flush=True)  # noqa: T201
    return int(any(answer != NEEDED for answer in told))


NEEDED = "needed: its test fails without it"


def _try(guard: Guard) -> str:
    """Run the guard's test on a copy with and without it; returns what came of it."""
    with tempfile.TemporaryDirectory(prefix="limbo-guards-") as folder:
        copy = Path(folder)
        _copy_checkout(copy)
        if (code := _run(copy, guard)) != _PASSED:
            return f"NOT SHOWN: with the guard in place pytest ends with {code}, too"
        if not all(edit.apply(copy) for edit in guard.edits):
            return "NOT FOUND where it is named: name it anew"
        code = _run(copy, guard)
    return NEEDED if code == _FAILED else f"NOT SHOWN: without the guard pytest ends with {code}"


def _run(copy: Path, guard: Guard) -> int:
    """pytest's exit code for the guard's test, in the copy."""
    options = ["-q", "-p", "no:cacheprovider", "-m", "faults or not faults", *guard.test]
    command = [sys.executable, "-m", "pytest", *options]
    return subprocess.run(command, cwd=copy, check=False, capture_output=True).returncode


def _copy_checkout(target: Path) -> None:
    for name in _COPIED:
        shutil.copytree(
            ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    for name in _COPIED_FILES:
        shutil.copy2(ROOT / name, target / name)


if __name__ == "__main__":
    sys.exit(main())
