"""A program that Limbo runs beside itself."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from limbo.local.console import Console
from limbo.local.errors import RunError
from limbo.local.parent import end_with_parent


@dataclass(frozen=True)
class Service:
    """What to run: a name for people, the program and its arguments, its environment and folder."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    grace_seconds: float = 8.0
    """How long it may take to end when it is asked to, before it is made to."""


class Child:
    """One run after another of a service, in a session of its own, its log on the console.

    Its own session keeps a terminal's Ctrl-C from it: it ends when it is told to, in its turn.
    `on_spawn` is told each run's pid at once.
    """

    def __init__(
        self, service: Service, console: Console, on_spawn: Callable[[int], None] | None = None
    ) -> None:
        self.name = service.name
        self.grace_seconds = service.grace_seconds
        self._service = service
        self._console = console
        self._on_spawn = on_spawn
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The first process of the current run; 0 when there is none."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Run the program. Raises RunError when that is not possible."""
        try:
            self._process = subprocess.Popen(
                self._service.argv,
                env=dict(self._service.env),
                cwd=self._service.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # safe: one system call, and we have no other threads
                preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )
        except OSError as error:
            raise RunError(f"{self.name} cannot be started: {error}") from error
        if self._on_spawn is not None:
            self._on_spawn(self._process.pid)
        if self._process.stdout is not None:
            self._console.follow(self.name, self._process.stdout)

    def exit_code(self) -> int | None:
        """How the run ended (negative: by that signal); None while it runs."""
        return self._process.poll() if self._process else 0

    def terminate(self) -> None:
        """Ask the first process to end, and it alone: it looks after its own children."""
        if self.exit_code() is None:
            os.kill(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        """End whatever is left of the run, its children included, at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
