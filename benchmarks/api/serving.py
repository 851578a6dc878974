"""A project's web server, and what processes have used of the processors."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.api.contenders import Project
from benchmarks.database import Server
from benchmarks.processes import LIMBO_PYTHON, Program, call, free_port, is_listening, wait_until

WORKERS = 2
THREADS = 4
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A project that answers on `port`."""

    port: int
    authorization: str
    pid: int
    """The web server's first process."""
    keeper: psycopg.Connection[tuple[object, ...]]
    """To its database."""

    def tidy(self) -> None:
        """Leave nothing for the database to do later.

        By a session that stays: the time of one that ends is counted once more, with its parent's.
        """
        self.keeper.execute("VACUUM (ANALYZE)")


@contextmanager
def served(project: Project, server: Server, folder: Path) -> Iterator[Served]:
    """Serve the project with a new database of its own."""
    name = f"bench_api_{project.name}"
    with ExitStack() as stack:
        database = server.create(name)
        stack.callback(server.drop, name)
        environment = {
            **project.environment,
            "DATABASE_URL": database.url,
            "LIMBO_PROVIDERS": "sink=smtp://127.0.0.1:1",
        }
        for arguments in project.prepare:
            call([LIMBO_PYTHON, *arguments], environment)
        token = call([LIMBO_PYTHON, *project.token], environment).strip()
        port = free_port()
        log = folder / f"api-{project.name}.log"
        web = stack.enter_context(Program(_granian(project, port), environment, log))
        wait_until(lambda: is_listening(port), what=f"the server of {project.name}")
        keeper = stack.enter_context(database.connect())
        yield Served(port, f"{project.scheme} {token}", web.pid, keeper)


def _granian(project: Project, port: int) -> list[object]:
    options: list[object] = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", port]
    options += ["--workers", WORKERS, "--blocking-threads", THREADS, "--no-ws"]
    return [LIMBO_PYTHON, "-m", "granian", *options, project.application]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its descendants, those that have ended included."""
    return sum(_ticks(one) for one in _family(pid)) / _TICKS


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _ticks(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    # the name may hold anything, so count from behind it: utime, stime, cutime, cstime
    return sum(int(field) for field in stat.rpartition(")")[2].split()[11:15])
