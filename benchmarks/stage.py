"""Where the contestants run: the same server and the same kind of sink for all."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import Contestant
from benchmarks.database import Database, Server
from benchmarks.processes import Program, call, free_port, is_listening, wait_until
from benchmarks.sinks import Sinks


@dataclass(frozen=True, slots=True)
class Stage:
    """The server, the sinks, and a folder for what the processes write."""

    server: Server
    sinks: Sinks
    folder: Path

    @contextmanager
    def database(self, contestant: Contestant) -> Iterator[Database | None]:
        """A database with the contestant's tables, for one run; None where it needs none."""
        if not contestant.has_database:
            yield None
            return
        try:
            yield self.server.create("bench_run", template=self._template(contestant))
        finally:
            self.server.drop("bench_run")

    @contextmanager
    def lasting(self, contestant: Contestant, name: str) -> Iterator[Database]:
        """A database with the contestant's tables, for several runs."""
        try:
            yield self.server.create(f"bench_{name}", template=self._template(contestant))
        finally:
            self.server.drop(f"bench_{name}")

    @contextmanager
    def redis(self, contestant: Contestant) -> Iterator[Mapping[str, str]]:
        """A Redis for one run, that keeps all in memory; nothing where it is not needed."""
        if not contestant.needs_redis:
            yield {}
            return
        port = free_port()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        with Program(["redis-server", *options], {}, self.folder / "redis.log"):
            wait_until(lambda: is_listening(port), what="redis-server")
            yield {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}

    def environment(
        self, contestant: Contestant, database: Database | None, port: int
    ) -> dict[str, str]:
        """The contestant's environment, with its database and its provider at `port`."""
        provider = (
            f"anymail-postmark://token@/?api_url=http://127.0.0.1:{port}/"
            if contestant.is_http
            else f"smtp://127.0.0.1:{port}"
        )
        return {
            **contestant.environment,
            "SINK_PORT": str(port),
            "DATABASE_URL": database.url if database else "",
            "LIMBO_PROVIDERS": f"sink={provider}",
            "LIMBO_JOURNAL_DIR": str(self.folder / "journal"),
        }

    def forget_journals(self) -> None:
        """Journals are of a database that is gone."""
        shutil.rmtree(self.folder / "journal", ignore_errors=True)

    def _template(self, contestant: Contestant) -> str:
        """The name of a database with the contestant's tables, made at its first use."""
        settings = contestant.environment["DJANGO_SETTINGS_MODULE"]
        name = f"bench_template_{settings.replace('.', '_')}"
        if not self.server.has(name):
            environment = self.environment(contestant, self.server.create(name), 1)
            for arguments in contestant.prepare:
                call([contestant.python, *arguments], environment)
        return name
