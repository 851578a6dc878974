"""Keeps processes running, and stops them in good order."""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from limbo.local.console import Console
from limbo.local.errors import LocalError, RunError

_TICK = 0.1
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_SETTLED_SECONDS = 30.0


class Managed(Protocol):
    """A process that can be started again and again."""

    @property
    def name(self) -> str: ...

    @property
    def pid(self) -> int: ...

    @property
    def grace_seconds(self) -> float: ...

    def start(self) -> None: ...

    def exit_code(self) -> int | None: ...

    def terminate(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class _Watched:
    managed: Managed
    started_at: float
    delay: float = _FIRST_DELAY
    restart_at: float | None = None


class StopRequested(Exception):  # noqa: N818  not an error: somebody pressed Ctrl-C
    """Somebody asked for the end, by SIGINT or SIGTERM."""


class Supervisor:
    """Starts processes stage by stage and starts anew whichever ends.

    `on_change` is called whenever a process has ended or has a new pid. Stages end in the opposite
    order; what is in one stage ends at the same time.
    """

    def __init__(self, console: Console, on_change: Callable[[], None]) -> None:
        self._console = console
        self._on_change = on_change
        self._stages: list[list[_Watched]] = []
        self._stop_requested = False

    def obey_signals(self) -> None:
        """From now on SIGINT and SIGTERM end the next wait by StopRequested."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request_stop)

    def start(self, stage: Sequence[Managed]) -> None:
        """Start the processes of a stage. Raises LocalError when one cannot be started."""
        watched: list[_Watched] = []
        self._stages.append(watched)
        for managed in stage:
            watched.append(_Watched(managed, time.monotonic()))
            managed.start()

    def run_to_end(self, managed: Managed) -> None:
        """Run a command until it is done. Raises RunError when it fails."""
        managed.start()
        try:
            while (code := managed.exit_code()) is None:
                self._tick()
        finally:
            managed.stop()
        self._console.pump(0)
        if code:
            raise RunError(f"{managed.name} failed: {_ending(code)}; its log is above")

    def wait_until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Wait for a condition while the processes run; answers whether it came true in time.

        Raises RunError when a process ends by itself meanwhile, StopRequested when somebody asks
        for the end. One that is killed is started anew: so the worker's own watchdog has it.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._tick()
            for watched in self._all():
                self._refuse_a_failed_start(watched)
                self._look_after(watched)
        return True

    def watch(self) -> None:
        """Keep everything running until somebody asks for the end."""
        while True:
            try:
                self._tick()
            except StopRequested:
                return
            for watched in self._all():
                self._look_after(watched)

    def stop(self) -> None:
        """End all processes, the last stage first, each within the grace time."""
        for stage in reversed(self._stages):
            for watched in stage:
                watched.managed.terminate()
            began = time.monotonic()
            while any(_is_waited_for(watched.managed, began) for watched in stage):
                self._console.pump(_TICK / 2)
            for watched in stage:
                self._finish(watched.managed)
        self._stages.clear()

    def _finish(self, managed: Managed) -> None:
        if managed.exit_code() is None:
            self._console.say(f"{managed.name} did not end by itself; it is killed")
        managed.stop()

    def _all(self) -> list[_Watched]:
        return [watched for stage in self._stages for watched in stage]

    def _request_stop(self, _number: int, _frame: object) -> None:
        self._stop_requested = True

    def _tick(self) -> None:
        self._console.pump(_TICK)
        if self._stop_requested:
            raise StopRequested

    def _refuse_a_failed_start(self, watched: _Watched) -> None:
        code = watched.managed.exit_code()
        if watched.restart_at is None and code is not None and code >= 0:
            self._console.pump(0)
            raise RunError(f"{watched.managed.name} {_ending(code)} at its start")

    def _look_after(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.restart_at is not None:
            if now >= watched.restart_at:
                self._restart(watched)
            return
        code = watched.managed.exit_code()
        if code is None:
            return
        # also one that ends as if all were well: it was to stay
        if now - watched.started_at > _SETTLED_SECONDS:
            watched.delay = _FIRST_DELAY
        # what it left behind must not meet its successor
        watched.managed.stop()
        self._put_off(watched, _ending(code))
        self._on_change()

    def _restart(self, watched: _Watched) -> None:
        watched.restart_at = None
        watched.started_at = time.monotonic()
        try:
            watched.managed.start()
        except LocalError as error:
            self._put_off(watched, f"cannot be started: {error}")
            return
        self._console.say(f"{watched.managed.name} runs again (pid {watched.managed.pid})")
        self._on_change()

    def _put_off(self, watched: _Watched, reason: str) -> None:
        self._console.say(
            f"{watched.managed.name} {reason}; it is started again in {watched.delay:g} s"
        )
        watched.restart_at = time.monotonic() + watched.delay
        watched.delay = min(watched.delay * 2, _LONGEST_DELAY)


def _is_waited_for(managed: Managed, since: float) -> bool:
    """Whether it still runs and, asked to end at `since`, still may."""
    return managed.exit_code() is None and time.monotonic() - since < managed.grace_seconds


def _ending(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
