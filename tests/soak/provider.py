"""A moody provider in a process of its own, and how the soak starts and commands it.

`python -m tests.soak.provider --kind smtp --port 2526 --file taken.jsonl --seed 1`

SIGUSR1 calms it for good. SIGUSR2 takes it away for a few seconds: connections break, and new ones
are refused. What it saw stays in its file.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from random import Random
from typing import Self

from tests.conftest import wait_until
from tests.e2e.system import ROOT, free_port, is_listening
from tests.faults.records import Received, read_lines
from tests.soak.moods import Mood, MoodyHttp, MoodySmtp, Note

_KINDS = {"smtp": MoodySmtp, "http": MoodyHttp}
_AWAY_SECONDS = (3.0, 25.0)
_LOOK_SECONDS = 0.1


class ProviderProcess:
    """One moody provider; a context manager."""

    def __init__(self, name: str, kind: str, folder: Path, seed: int) -> None:
        self.name = name
        self.port = free_port()
        self._file = folder / f"{name}.jsonl"
        self._command = [sys.executable, "-m", "tests.soak.provider", "--kind", kind]
        self._command += ["--port", str(self.port), "--file", str(self._file), "--seed", str(seed)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=ROOT)
        wait_until(lambda: is_listening(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def go_away(self) -> None:
        """Refuse connections for a few seconds."""
        self._process.send_signal(signal.SIGUSR2)

    def calm(self) -> None:
        """Behave well from now on, and be there."""
        self._process.send_signal(signal.SIGUSR1)

    def received(self) -> list[Received]:
        """What it has seen so far."""
        return list(read_lines(self._file))


class _Life:
    """Serves, goes away, comes back."""

    def __init__(self, kind: str, port: int, note: Note, random: Random) -> None:
        self._peer = _KINDS[kind]
        self._port = port
        self._note = note
        self._random = random
        self._calm = threading.Event()
        self._away = threading.Event()

    def live(self) -> None:
        """Until killed."""
        signal.signal(signal.SIGUSR1, lambda *_: self._calm.set())
        signal.signal(signal.SIGUSR2, lambda *_: self._away.set())
        while True:
            with self._peer(self._port, Mood(self._random, self._calm), self._note):
                self._stay()
            self._calm.wait(self._random.uniform(*_AWAY_SECONDS))

    def _stay(self) -> None:
        self._away.clear()
        while self._calm.is_set() or not self._away.is_set():
            # a bare wait would not let the signals through
            self._away.wait(_LOOK_SECONDS)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=_KINDS, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    file = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(record: Received) -> None:
        os.write(file, record.as_line())

    _Life(options.kind, options.port, note, Random(options.seed)).live()


if __name__ == "__main__":
    main()
