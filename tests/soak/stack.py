"""All that the soak runs: PostgreSQL, providers, web and two workers, kept running."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.conftest import wait_until
from tests.e2e.processes import children_of
from tests.e2e.system import System, is_listening
from tests.faults.own_postgres import OwnPostgres
from tests.faults.records import Received
from tests.faults.sink import SinkProcess
from tests.soak.moods import MEAN_SECONDS
from tests.soak.options import Options
from tests.soak.provider import ProviderProcess

WORKERS = ("worker-1", "worker-2")
_LOOK_SECONDS = 0.2


class Providers:
    """Three moody providers, and one that takes everything."""

    def __init__(self, folder: Path, options: Options) -> None:
        seeds = options.draw("providers")
        kinds = {"moody": "smtp", "gruff": "smtp", "postmark": "http"}
        self.moody = [
            ProviderProcess(name, kind, folder, seeds.randrange(10**6))
            for name, kind in kinds.items()
        ]
        self._steady = SinkProcess(folder, delay=MEAN_SECONDS)

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Run them."""
        with ExitStack() as stack:
            stack.enter_context(self._steady)
            for process in self.moody:
                stack.enter_context(process)
            yield self

    @property
    def setting(self) -> str:
        """`LIMBO_PROVIDERS`."""
        moody, gruff, postmark = self.moody
        return ",".join(
            [
                f"steady=smtp://127.0.0.1:{self._steady.port}",
                f"moody=smtp://127.0.0.1:{moody.port}",
                f"gruff=smtp://127.0.0.1:{gruff.port}",
                f"postmark=anymail-postmark://token@?api_url=http://127.0.0.1:{postmark.port}/",
            ]
        )

    def calm(self) -> None:
        """Let all behave well from now on."""
        for process in self.moody:
            process.calm()

    def received(self) -> list[Received]:
        """What all have seen."""
        moody = (record for process in self.moody for record in process.received())
        return [*self._steady.received(), *moody]


class Keeper:
    """What systemd or Docker is to web and workers: each is started again whenever it ends.

    It only starts them anew: orphans of the old one are left to end by themselves.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._web = ["-m", "granian", "--interface", "wsgi", "--port", str(system.port)]
        self._web += ["--blocking-threads", "8", "limbo.wsgi:application"]

    def __enter__(self) -> Self:
        for name in ("web", *WORKERS):
            self._start(name)
        wait_until(lambda: is_listening(self._system.port), seconds=60)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def pid(self, name: str) -> int:
        """The first process of web or a worker."""
        return self._system.pid(name)

    def kill(self, name: str) -> None:
        """SIGKILL, to a process and its whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid(name), signal.SIGKILL)

    def send(self, name: str, number: signal.Signals) -> None:
        """Any other signal, to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self._system.pid(name), number)

    def sentinel(self, worker: str) -> int:
        """The second process of a worker; 0 while there is none."""
        return next(iter(children_of(self._system.pid(worker))), 0)

    def children(self, worker: str) -> list[int]:
        """The children of its sentinel: django-q2's workers, monitor and pusher."""
        return children_of(self.sentinel(worker))

    def _start(self, name: str) -> None:
        self._system.start(name, self._web if name == "web" else ["manage.py", "qcluster"])

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            for name in ("web", *WORKERS):
                if self._system.exit_code(name) is not None:
                    self._start(name)


@dataclass(frozen=True, slots=True)
class Stack:
    """The running whole."""

    postgres: OwnPostgres
    providers: Providers
    keeper: Keeper
