"""What takes the messages: `smtp-sink` of Debian's postfix package, or ours where there is none.

The sink counts for itself; nothing stands between it and a contestant.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.processes import (
    LIMBO_PYTHON,
    Program,
    free_port,
    is_listening,
    wait_until,
)

_COUNT = re.compile(rb"mesg=(\d+)\r")
_TAIL_BYTES = 200


class Counter:
    """A server process that prints how many messages it has taken; a context manager."""

    def __init__(self, command: Sequence[object], port: int, folder: Path) -> None:
        self.port = port
        self._log = folder / f"sink-{port}.log"
        self._program = Program(command, {"LD_LIBRARY_PATH": _libraries(command[0])}, self._log)

    def __enter__(self) -> Self:
        self._program.__enter__()
        wait_until(lambda: is_listening(self.port), what=f"the sink on port {self.port}")
        return self

    def __exit__(self, *_: object) -> None:
        self._program.__exit__()
        self._log.unlink()

    def count(self) -> int:
        """Messages taken so far."""
        with self._log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - _TAIL_BYTES))
            found = _COUNT.findall(log.read())
        return int(found[-1]) if found else 0


@dataclass(frozen=True, slots=True)
class Sinks:
    """Makes the sinks of one run; all are of the same kind."""

    smtp_sink: Path | None
    folder: Path

    @classmethod
    def find(cls, folder: Path) -> Self:
        """Look for `smtp-sink`: installed, or unpacked into `folder`, or downloaded into it."""
        program = shutil.which("smtp-sink")
        found = Path(program) if program else _unpacked(folder / "postfix")
        return cls(found if found and _runs(found) else None, folder)

    @property
    def description(self) -> str:
        """Which sink it is, for the results."""
        return "smtp-sink (postfix)" if self.smtp_sink else "benchmarks.servers.smtp (asyncio)"

    def smtp(self) -> Counter:
        """A sink for SMTP."""
        port = free_port()
        if self.smtp_sink is None:
            return self._python("smtp", port)
        # more sessions than anybody opens; as root it wants to become somebody else
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [self.smtp_sink, *user, "-c", "-m", "1000", f"127.0.0.1:{port}", "512"]
        return Counter(command, port, self.folder)

    def http(self) -> Counter:
        """A provider with an HTTP API."""
        return self._python("http", free_port())

    def _python(self, name: str, port: int) -> Counter:
        command = [LIMBO_PYTHON, "-m", f"benchmarks.servers.{name}", str(port)]
        return Counter(command, port, self.folder)


def slow_link(target: int, *, seconds: float, folder: Path) -> tuple[int, Program]:
    """A link to the port `target` on which every answer takes `seconds`; its port, and it."""
    port = free_port()
    module = "benchmarks.servers.slow_link"
    command = [LIMBO_PYTHON, "-m", module, str(port), str(target), str(seconds)]
    return port, Program(command, {}, folder / "slow-link.log")


def _unpacked(folder: Path) -> Path | None:
    """`smtp-sink` out of Debian's package, without installing it or starting a mail server."""
    program = folder / "usr" / "sbin" / "smtp-sink"
    if program.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["apt-get", "download", "postfix"], cwd=folder, check=True, capture_output=True
        )
        (package,) = folder.glob("postfix_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True, capture_output=True)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    return program


def _libraries(program: object) -> str:
    """Where an unpacked `smtp-sink` has its libraries."""
    return str(Path(str(program)).parents[1] / "lib" / "postfix")


def _runs(program: Path) -> bool:
    """Whether it starts here: it says how it wants to be called."""
    environment = {"LD_LIBRARY_PATH": _libraries(program)}
    done = subprocess.run([program], env=environment, capture_output=True, check=False)
    return b"usage:" in done.stderr
