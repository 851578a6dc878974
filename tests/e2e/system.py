"""Limbo's real processes, on the test's database."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from tests.conftest import wait_until
from tests.e2e import processes

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that is free now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether somebody takes connections on the port."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def database_url() -> str:
    """The test database, as the processes are told of it."""
    to = connection.settings_dict
    password = quote(to["PASSWORD"], safe="")
    return f"postgres://{to['USER']}:{password}@{to['HOST']}:{to['PORT']}/{to['NAME']}"


class System:
    """Starts, asks, kills and stops the processes; each runs in a process group of its own."""

    def __init__(self, log_folder: Path, providers: str, **environment: str) -> None:
        self.port = free_port()
        self._log_folder = log_folder
        self.journal = log_folder / "journal"
        """Where the workers keep their journals."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._sessions: set[int] = set()
        self._environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "LIMBO_LOCAL": "1",
            "LIMBO_PROVIDERS": providers,
            "LIMBO_JOURNAL_DIR": str(self.journal),
            "LOG_LEVEL": "INFO",
            **environment,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.kill(name)

    def start_web(self) -> None:
        """Start the web front and wait until it answers."""
        options = ["--interface", "wsgi", "--port", str(self.port), "--blocking-threads", "8"]
        self.start("web", ["-m", "granian", *options, "limbo.wsgi:application"])
        wait_until(lambda: is_listening(self.port) and self.get("/health")[0] == 200)

    def start_worker(self, name: str = "worker") -> None:
        """Start a worker; it takes up work a moment later."""
        self.start(name, ["manage.py", "qcluster"])

    def arm(self, failpoints: str) -> None:
        """Give the processes that start from now on `LIMBO_FAILPOINTS`; "" is none."""
        folder = self._log_folder / "failpoints"
        folder.mkdir(exist_ok=True)
        self._environment |= {"LIMBO_FAILPOINTS": failpoints, "LIMBO_FAILPOINT_DIR": str(folder)}

    def failed_at(self, failpoint: str) -> int:
        """The process that came to `failpoint` and acted there; 0 while none has."""
        mark = self._log_folder / "failpoints" / failpoint
        return int(mark.read_text() or 0) if mark.exists() else 0

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start a Python process; its output goes to a file named after it."""
        with (self._log_folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[name] = process
        self._sessions.add(process.pid)

    def survivors(self) -> list[int]:
        """Processes of ours that live, whoever their parent is now."""
        return [pid for session in self._sessions for pid in processes.in_session(session)]

    def kill(self, name: str) -> None:
        """Kill the process and all its children at once, by SIGKILL."""
        process = self._running.pop(name)
        # one that has ended by itself may have left no group
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str, *, seconds: float = 10) -> int:
        """Ask the process to end by SIGTERM; returns its exit code."""
        process = self._running.pop(name)
        process.terminate()
        return process.wait(timeout=seconds)

    def pid(self, name: str) -> int:
        """The process's id, which is its group's as well."""
        return self._running[name].pid

    def exit_code(self, name: str) -> int | None:
        """How the process ended; None while it runs."""
        return self._running[name].poll()

    def log(self, name: str) -> str:
        """What the process has said so far."""
        return (self._log_folder / f"{name}.log").read_text(encoding="utf-8")

    def get(self, path: str, token: str = "") -> tuple[int, Any]:
        """GET a path; returns the status and the parsed JSON."""
        return self._ask("GET", path, None, token)

    def post(self, path: str, body: dict[str, Any], token: str) -> tuple[int, Any]:
        """POST JSON; returns the status and the parsed JSON."""
        return self._ask("POST", path, json.dumps(body), token)

    def _ask(self, method: str, path: str, body: str | None, token: str) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as http:
            http.request(method, path, body, headers)
            answer = http.getresponse()
            return answer.status, json.loads(answer.read())
