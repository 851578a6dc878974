"""One contestant gets its messages out, and is timed.

The clock runs from the first message at the sink until the last one is recorded as sent (where a
contestant records at all): neither how long Python takes to start nor how the queue was filled
counts, but the bookkeeping of everything that was sent does.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from benchmarks.contestants import Contestant
from benchmarks.database import Database, Server
from benchmarks.processes import (
    BenchmarkError,
    Program,
    call,
    free_port,
    is_listening,
    wait_until,
)
from benchmarks.sinks import Counter, Sinks, slow_link

_LOOK_SECONDS = 0.01
STALL_SECONDS = 90.0
"""Nothing new at the sink for so long is no result."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is different from the plain run."""

    delay: float = 0.0
    """Seconds by which each answer of the provider is late."""
    clusters: int = 1
    """How many times its workers are started."""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Timed:
    """One run."""

    messages: int
    seconds: float
    rate: float
    cost: dict[str, float]
    """Per message; empty without a database."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the contestants run: the same server and the same kind of sink for all."""

    server: Server
    sinks: Sinks
    folder: Path

    def template(self, contestant: Contestant) -> str:
        """A database with the contestant's tables, made at its first use."""
        settings = contestant.environment.get("DJANGO_SETTINGS_MODULE", "").replace(".", "_")
        return f"bench_template_{settings}"

    @contextmanager
    def database(self, contestant: Contestant) -> Iterator[Database | None]:
        """A database for one run; None where it needs none."""
        if not contestant.has_database:
            yield None
            return
        template = self.template(contestant)
        if not self._exists(template):
            self._prepare(contestant, self.server.create(template))
        try:
            yield self.server.create("bench_run", template=template)
        finally:
            self.server.drop("bench_run")

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

    def _exists(self, name: str) -> bool:
        query = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"
        return bool(self.server.database("postgres").ask(query))

    def _prepare(self, contestant: Contestant, database: Database) -> None:
        environment = {**contestant.environment, **self.addresses(contestant, database, 1)}
        for arguments in contestant.prepare:
            call([contestant.python, *arguments], environment)

    def addresses(
        self, contestant: Contestant, database: Database | None, port: int
    ) -> dict[str, str]:
        """Where the contestant finds its database and its provider."""
        scheme = (
            f"anymail-postmark://token@/?api_url=http://127.0.0.1:{port}/"
            if contestant.is_http
            else f"smtp://127.0.0.1:{port}"
        )
        return {
            "SINK_PORT": str(port),
            "DATABASE_URL": database.url if database else "postgres:///none",
            "LIMBO_PROVIDERS": f"sink={scheme}",
            "LIMBO_JOURNAL_DIR": str(self.folder / "journal"),
        }


def race(
    contestant: Contestant, stage: Stage, *, count: int, setting: Setting | None = None
) -> Timed:
    """Let the contestant send `count` messages. Raises BenchmarkError when it does not."""
    shutil.rmtree(stage.folder / "journal", ignore_errors=True)
    with ExitStack() as stack:
        database = stack.enter_context(stage.database(contestant))
        redis = stack.enter_context(stage.redis(contestant))
        sink = stack.enter_context(stage.sinks.http() if contestant.is_http else stage.sinks.smtp())
        setting = setting or Setting()
        port = sink.port
        if setting.delay:
            port, link = slow_link(port, seconds=setting.delay, folder=stage.folder)
            stack.enter_context(link)
        environment = {
            **contestant.environment,
            **stage.addresses(contestant, database, port),
            **redis,
            **setting.environment,
        }
        if contestant.load:
            call([contestant.python, *_filled(contestant.load, count)], environment)
        return _timed(contestant, stage, database, sink, environment, count, setting.clusters)


def _filled(arguments: tuple[str, ...], count: int) -> list[str]:
    return [argument.format(count=count) for argument in arguments]


def _timed(
    contestant: Contestant,
    stage: Stage,
    database: Database | None,
    sink: Counter,
    environment: Mapping[str, str],
    count: int,
    clusters: int,
) -> Timed:
    if database:
        database.settle()
    before = database.usage() if database else None
    command = [contestant.python, *_filled(contestant.work, count)]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                Program(command, environment, stage.folder / f"{contestant.name}-{number}.log")
            )
            for number in range(clusters)
        ]
        first_at, first = _first(sink, workers)
        _until_taken(sink, workers, count)
        while database and database.number(contestant.waiting):
            _refuse_stall(first_at, sink.count(), workers)
            time.sleep(_LOOK_SECONDS)
        seconds = time.monotonic() - first_at
    if sink.count() != count:
        raise BenchmarkError(f"{contestant.name}: {sink.count()} messages came, of {count}")
    cost = database.usage().since(before, messages=count) if database and before else {}
    return Timed(count, seconds, (count - first) / seconds, cost)


def _first(sink: Counter, workers: list[Program]) -> tuple[float, int]:
    """When the first messages were seen at the sink, and how many they were."""
    since = time.monotonic()
    while not (count := sink.count()):
        _refuse_stall(since, 0, workers)
        time.sleep(_LOOK_SECONDS)
    return time.monotonic(), count


def _until_taken(sink: Counter, workers: list[Program], count: int) -> None:
    seen, seen_at = 0, time.monotonic()
    while (taken := sink.count()) < count:
        if taken > seen:
            seen, seen_at = taken, time.monotonic()
        _refuse_stall(seen_at, taken, workers)
        time.sleep(_LOOK_SECONDS)


def _refuse_stall(since: float, taken: int, workers: list[Program]) -> None:
    if time.monotonic() - since > STALL_SECONDS:
        words = "\n".join(worker.words() for worker in workers)
        raise BenchmarkError(f"nothing happens any more, after {taken} messages:\n{words}")
