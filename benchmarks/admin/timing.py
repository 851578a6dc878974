"""Timing pages: as a browser asks for them, one after the other."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from benchmarks.admin.data import environment
from benchmarks.admin.pages import Page
from benchmarks.database import Database
from benchmarks.processes import (
    LIMBO_PYTHON,
    BenchmarkError,
    Program,
    free_port,
    is_listening,
    wait_until,
)

_SECONDS = 120.0
_WARM_UP = 5


@dataclass(slots=True)
class Timed:
    """A page, with the milliseconds of each time it was asked for."""

    page: Page
    warm: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)

    @property
    def warm_ms(self) -> float:
        """The median."""
        return median(self.warm)

    @property
    def cold_ms(self) -> float:
        """The median; 0 where it was not taken."""
        return median(self.cold) if self.cold else 0.0


@contextmanager
def served(database: Database, cookie: str, log: Path) -> Iterator[httpx.Client]:
    """Serve the database; gives a signed-in client."""
    port = free_port()
    options: list[object] = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", port]
    # one thread has one connection: which of them is cold is no matter of chance
    options += ["--workers", 1, "--blocking-threads", 1, "--no-ws"]
    command = [LIMBO_PYTHON, "-m", "granian", *options, "limbo.wsgi:application"]
    with ExitStack() as stack:
        stack.enter_context(Program(command, environment(database), log))
        wait_until(lambda: is_listening(port), what="the web server")
        yield stack.enter_context(
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}",
                cookies={"sessionid": cookie},
                timeout=_SECONDS,
                trust_env=False,
            )
        )


def fetch(client: httpx.Client, page: Page) -> float:
    """Ask for the page; returns the milliseconds. Raises BenchmarkError if it is another answer."""
    began = time.perf_counter()
    answer = client.get(page.path)
    took = time.perf_counter() - began
    if answer.status_code != httpx.codes.OK or page.expected not in answer.text:
        raise BenchmarkError(f"{page.path} answered {answer.status_code}, not {page.expected!r}")
    return took * 1000


def fetch_warm(client: httpx.Client, timed: Timed, look_up: Timed, rounds: int) -> None:
    """Ask for the page so often, after a first time that does not count.

    Each time the look-up is asked for too, so that both see the same weather.
    """
    fetch(client, timed.page)
    for _ in range(rounds):
        look_up.warm.append(fetch(client, look_up.page))
        timed.warm.append(fetch(client, timed.page))


def fetch_cold(client: httpx.Client, timed: Timed, look_up: Timed) -> None:
    """Ask for the page once, on a server that was just started.

    The look-up comes first: connection, session and theme are not what is measured.
    """
    for _ in range(_WARM_UP):
        took = fetch(client, look_up.page)
    look_up.warm.append(took)
    timed.cold.append(fetch(client, timed.page))
