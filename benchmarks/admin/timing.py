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
class Times:
    """The milliseconds of a page, each with those of the look-up just before."""

    page: list[float] = field(default_factory=list)
    look_up: list[float] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """The median."""
        return median(self.page)

    @property
    def ratio(self) -> float:
        """To the look-up, which has seen the same weather."""
        return self.ms / median(self.look_up)


@dataclass(slots=True)
class Timed:
    """A page, and how long it took."""

    page: Page
    warm: Times = field(default_factory=Times)
    cold: Times = field(default_factory=Times)


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


def fetch_warm(client: httpx.Client, timed: Timed, look_up: Page, rounds: int) -> None:
    """Ask for the page so often, after a first time that does not count."""
    fetch(client, timed.page)
    for _ in range(rounds):
        timed.warm.look_up.append(fetch(client, look_up))
        timed.warm.page.append(fetch(client, timed.page))


def fetch_cold(client: httpx.Client, timed: Timed, look_up: Page) -> None:
    """Ask for the page once, on a server that was just started.

    The look-up comes first: connection, session and theme are not what is measured.
    """
    for _ in range(_WARM_UP):
        took = fetch(client, look_up)
    timed.cold.look_up.append(took)
    timed.cold.page.append(fetch(client, timed.page))
