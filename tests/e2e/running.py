"""`make run` as a test runs it: in a folder and on ports of its own."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

from limbo.local.processes import Process, descendants, running
from tests.conftest import wait_until
from tests.e2e.system import ROOT, free_port

RUN = [sys.executable, "-m", "limbo.local.run"]
OURS = ("DATABASE_URL", "SECRET_KEY", "LIMBO_LOCAL", "LIMBO_PROVIDERS", "LOG_LEVEL")
READY_SECONDS = 150.0


def environment(var: Path, **more: str) -> dict[str, str]:
    """A newcomer's environment: none of the tests' own settings."""
    clean = {name: value for name, value in os.environ.items() if name not in OURS}
    ports = {"PORT": str(free_port()), "SINK_PORT": str(free_port())}
    return {**clean, **ports, "LIMBO_VAR": str(var), **more}


class MakeRun:
    """One run after another in one folder and on the same ports; at the end nothing is left."""

    def __init__(self, var: Path, **more: str) -> None:
        self.var = var
        self._environment = environment(var, **more)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def start(self) -> None:
        """Run, and wait until the first message is sent."""
        (self.var / "run.json").unlink(missing_ok=True)
        self._process = subprocess.Popen(
            RUN,
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(self._is_ready_or_over, seconds=READY_SECONDS)
        assert self._process.poll() is None, "it ended at its start"

    def kill(self) -> None:
        """SIGKILL, to the run's own process alone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def facts(self) -> dict[str, Any]:
        """What it tells to scripts."""
        content: dict[str, Any] = json.loads((self.var / "run.json").read_text(encoding="utf-8"))
        return content

    def family(self) -> list[Process]:
        """All processes that the run has started, and their children."""
        assert self._process is not None
        run = Process.find(self._process.pid)
        assert run is not None
        return descendants(run, running())

    def post(self, subject: str) -> str:
        """Post a message; returns its path."""
        message = {"from": "me@example.com", "to": ["you@example.com"]}
        answer = self._ask("/v1/mail", {**message, "subject": subject, "message": "Hi!"})
        return f"/v1/mail/{answer['id']}"

    def state(self, path: str) -> str:
        """The state of a message."""
        return str(self._ask(path)["state"])

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        facts = self.facts()
        headers = {"Authorization": f"Bearer {facts['token']}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(facts["base_url"] + path, data, headers), timeout=30) as answer:
            content: dict[str, Any] = json.load(answer)
            return content

    def _is_ready_or_over(self) -> bool:
        assert self._process is not None
        return (self.var / "run.json").exists() or self._process.poll() is not None


def kill_all(processes: list[Process]) -> None:
    """SIGKILL, to each."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
