"""Random faults, one every few seconds, and the notes of them."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from notifications.models.lease import LEASE_SECONDS
from tests.soak.stack import WORKERS, Stack

_GAP_SECONDS = (3.0, 12.0)
_PAUSE_SECONDS = LEASE_SECONDS + 10.0
BY_WORKERS = "by workers"
_QUIET_SECONDS = 10.0
"""At the beginning, so that everything runs."""


@dataclass(frozen=True, slots=True)
class Made:
    """A fault that was made."""

    at: float
    """Wall clock, in seconds since the epoch."""
    what: str
    cuts: str = ""
    """Which hand-offs may have been cut off: those `BY_WORKERS`, or those to a provider."""


@dataclass(slots=True)
class Chaos:
    """Makes faults when their time has come; `made` are those so far."""

    stack: Stack
    draw: Random
    made: list[Made] = field(default_factory=list)
    _next_at: float = 0.0
    _paused: str = ""
    _resume_at: float = 0.0

    def __post_init__(self) -> None:
        self._next_at = time.monotonic() + _QUIET_SECONDS

    def tick(self) -> None:
        """Make a fault if it is time for one, or end one that lasts."""
        now = time.monotonic()
        if self._paused and now >= self._resume_at:
            self._resume()
        if now >= self._next_at:
            self._make()
            self._next_at = time.monotonic() + self.draw.uniform(*_GAP_SECONDS)

    def end(self) -> None:
        """End what lasts."""
        if self._paused:
            self._resume()

    def _make(self) -> None:
        faults: list[tuple[int, Callable[[str], Made | None]]] = [
            (25, self._kill_child),
            (12, self._kill_sentinel),
            (12, self._kill_main),
            (12, self._kill_tree),
            (15, self._kill_web),
            (14, self._take_provider_away),
            (5, self._restart_postgres),
            (3, self._crash_postgres),
            (2, self._pause_worker),
        ]
        weights = [weight for weight, _ in faults]
        _, fault = self.draw.choices(faults, weights)[0]
        # drawn in any case, so that a seed leads to the same faults
        worker = self.draw.choice(WORKERS)
        made = None if worker == self._paused else fault(worker)
        if made:
            self.made.append(made)

    def _kill_child(self, worker: str) -> Made | None:
        children = self.stack.keeper.children(worker)
        drawn = self.draw.random()
        if not children:
            return None
        _kill(children[int(drawn * len(children))])
        return _made(f"a child of {worker} killed", BY_WORKERS)

    def _kill_sentinel(self, worker: str) -> Made | None:
        sentinel = self.stack.keeper.sentinel(worker)
        if not sentinel:
            return None
        _kill(sentinel)
        return _made(f"sentinel of {worker} killed", BY_WORKERS)

    def _kill_main(self, worker: str) -> Made | None:
        _kill(self.stack.keeper.pid(worker))
        return _made(f"main process of {worker} killed", BY_WORKERS)

    def _kill_tree(self, worker: str) -> Made | None:
        self.stack.keeper.kill(worker)
        return _made(f"{worker} killed whole", BY_WORKERS)

    def _kill_web(self, _: str) -> Made | None:
        self.stack.keeper.kill("web")
        return _made("web killed")

    def _take_provider_away(self, _: str) -> Made | None:
        provider = self.draw.choice(self.stack.providers.moody)
        provider.go_away()
        return _made(f"provider {provider.name} away", provider.name)

    def _restart_postgres(self, _: str) -> Made | None:
        self.stack.postgres.restart()
        return _made("PostgreSQL restarted")

    def _crash_postgres(self, _: str) -> Made | None:
        self.stack.postgres.crash()
        return _made("PostgreSQL crashed")

    def _pause_worker(self, worker: str) -> Made | None:
        if self._paused:
            return None
        self.stack.keeper.send(worker, signal.SIGSTOP)
        self._paused, self._resume_at = worker, time.monotonic() + _PAUSE_SECONDS
        return _made(f"{worker} stopped for {_PAUSE_SECONDS:g} s", BY_WORKERS)

    def _resume(self) -> None:
        self.stack.keeper.send(self._paused, signal.SIGCONT)
        self._paused = ""


def _made(what: str, cuts: str = "") -> Made:
    return Made(time.time(), what, cuts)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
