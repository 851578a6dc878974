"""Programs of a benchmark: each in a process group of its own, which ends with it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
LIMBO_PYTHON = Path(sys.executable)
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
_GRACE_SECONDS = 20.0


class BenchmarkError(Exception):
    """The benchmark cannot tell anything: something did not start, or did not come to its end."""


def free_port() -> int:
    """A port that is free now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether somebody takes connections on the port."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 60.0) -> None:
    """Wait for `condition`; raises BenchmarkError, with `what`, when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)


class Program:
    """A program while it runs; a context manager. What it says goes to `log`."""

    def __init__(
        self,
        command: Sequence[object],
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self._command = [str(part) for part in command]
        self._environment = {**os.environ, **environment}
        self._log = log

    def __enter__(self) -> Self:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log, self._log.with_suffix(".err").open("wb") as errors:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=errors,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        # one that has ended by itself may have left no group
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id, which is its group's as well."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def words(self) -> str:
        """The end of what it has said on its error output."""
        return self._log.with_suffix(".err").read_text(errors="replace")[-2000:]


def call(command: Sequence[object], environment: Mapping[str, str]) -> str:
    """Run a command to its end and return its output; raises BenchmarkError when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return done.stdout
