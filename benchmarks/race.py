"""One contestant gets its messages out, and is timed.

The clock runs from the first message at the sink until the last one is recorded as sent (where a
contestant records at all): neither how long Python takes to start nor how the queue was filled
counts, but the bookkeeping of everything that was sent does.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from benchmarks.contestants import Contestant
from benchmarks.database import Database
from benchmarks.processes import BenchmarkError, Program, call
from benchmarks.sinks import Counter, slow_link
from benchmarks.stage import Stage

_LOOK_SECONDS = 0.01
STALL_SECONDS = 90.0
"""Nothing new at the sink for so long is no result."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is different from the plain run."""

    delay: float | None = None
    """Seconds by which a link makes each answer of the provider late; None: without a link."""
    clusters: int = 1
    """How many times its workers are started."""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    database: Database | None = None
    """One that is there already, and stays."""
    spare: int | None = None
    """So many messages more are due than are counted, and the clock stops at the sink."""
    is_full: bool = False
    """The messages are in the database already."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One run."""

    messages: int
    seconds: float
    rate: float
    cost: dict[str, float]
    """Per message; empty without a database."""


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant at work."""

    contestant: Contestant
    sink: Counter
    database: Database | None
    workers: Sequence[Program]

    def wait(
        self, condition: Callable[[], bool], *, look: Callable[[], None] = lambda: None
    ) -> None:
        """Wait for `condition`, with a `look` now and then.

        Raises BenchmarkError when nothing happens any more.
        """
        taken, changed_at = 0, time.monotonic()
        while not condition():
            if (now_taken := self.sink.count()) > taken:
                taken, changed_at = now_taken, time.monotonic()
            if time.monotonic() - changed_at > STALL_SECONDS:
                words = "\n".join(worker.words() for worker in self.workers)
                raise BenchmarkError(f"nothing happens any more, after {taken} messages:\n{words}")
            look()
            time.sleep(_LOOK_SECONDS)

    def is_recorded(self) -> bool:
        """Whether all that was sent is recorded as sent."""
        return self.database is None or not self.database.number(self.contestant.waiting)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A contestant with a full queue."""

    contestant: Contestant
    sink: Counter
    database: Database | None
    command: Sequence[str]
    environment: Mapping[str, str]
    logs: Sequence[Path]

    @contextmanager
    def started(self) -> Iterator[Running]:
        """Its workers at work; at the end they are asked to stop, and have."""
        with ExitStack() as stack:
            workers = [
                stack.enter_context(Program(self.command, self.environment, log))
                for log in self.logs
            ]
            yield Running(self.contestant, self.sink, self.database, workers)


def race(contestant: Contestant, stage: Stage, *, count: int, setting: Setting) -> Timed:
    """Let the contestant send `count` messages. Raises BenchmarkError when it does not."""
    with ready(contestant, stage, count=count, setting=setting) as prepared:
        database = prepared.database
        before = database.usage() if database else None
        with prepared.started() as running:
            first, last, seconds = _clocked(running, count, to_the_end=setting.spare is None)
        taken = running.sink.count()
        # sessions tell what they have counted when they end
        cost = database.usage().since(before, messages=taken) if database and before else {}
    if setting.spare is None and taken != count:
        raise BenchmarkError(f"{contestant.name}: {taken} messages came, of {count}")
    return Timed(count, seconds, (last - first) / seconds, cost)


@contextmanager
def ready(
    contestant: Contestant, stage: Stage, *, count: int, setting: Setting
) -> Iterator[Prepared]:
    """Fill the contestant's queue with `count` messages; its workers can be started."""
    stage.forget_journals()
    with ExitStack() as stack:
        database = setting.database or stack.enter_context(stage.database(contestant))
        redis = stack.enter_context(stage.redis(contestant))
        sink = stack.enter_context(stage.sinks.http() if contestant.is_http else stage.sinks.smtp())
        port = sink.port
        if setting.delay is not None:
            port, link = slow_link(port, seconds=setting.delay, folder=stage.folder)
            stack.enter_context(link)
        environment = {
            **stage.environment(contestant, database, port),
            **redis,
            **setting.environment,
        }
        if contestant.load and not setting.is_full:
            load = _filled(contestant.load, count + (setting.spare or 0))
            call([contestant.python, *load], environment)
        if database:
            database.settle()
        command = [str(contestant.python), *_filled(contestant.work, count)]
        logs = [stage.folder / f"{contestant.name}-{n}.log" for n in range(setting.clusters)]
        yield Prepared(contestant, sink, database, command, environment, logs)


def _filled(arguments: Sequence[str], count: int) -> list[str]:
    return [argument.format(count=count) for argument in arguments]


def _clocked(running: Running, count: int, *, to_the_end: bool) -> tuple[int, int, float]:
    """How many were at the sink when the clock began and ended, and the seconds between."""
    sink = running.sink
    running.wait(lambda: sink.count() > 0)
    began_at, first = time.monotonic(), sink.count()
    running.wait(lambda: sink.count() >= count)
    last = sink.count()
    if to_the_end:
        running.wait(running.is_recorded)
    return first, last, time.monotonic() - began_at
