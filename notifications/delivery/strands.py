"""Strands: many conversations in one thread, each going on while the others wait.

With a thread for each connection the kernel changes threads for every reply, and the threads wait
for each other's turn at the interpreter; that costs more than all the rest of a hand-off over SMTP.
A strand is a greenlet: code that reads as if it blocked, and lets the others of its thread go on
where it would. Only the waits of this module do that. Whatever else blocks holds up all of them, so
it has a thread of its own (`in_a_thread`).

All of it works in ordinary threads too, where waiting is waiting.
"""

import os
import select
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from notifications.models.lease import boottime

T = TypeVar("T")

_LOOK_SECONDS = 0.25
"""How often it is looked whose time is up: so late a wait may end."""

_FOREVER = float("inf")


class Strand(greenlet):
    """One course of code in a loop's thread."""

    def __init__(self, loop: "_Loop", work: Callable[[], None]) -> None:
        super().__init__(lambda _: loop.carry(work))
        self.loop = loop
        self.until = _FOREVER
        """When its wait is over at the latest, in seconds of `boottime()`."""

    def wait_until_readable(self, descriptor: int, until: float) -> None:
        """Wait for something to read. Raises TimeoutError when it is past `until`."""
        self.loop.wait_for(self, descriptor, select.EPOLLIN, until)

    def wait_until_writable(self, descriptor: int, until: float) -> None:
        """Wait for room to write. Raises TimeoutError when it is past `until`."""
        self.loop.wait_for(self, descriptor, select.EPOLLOUT, until)


class _Loop:
    """The thread's own course: it switches to whose wait is over."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # not before nobody can ring any more
        weakref.finalize(self, os.close, self._doorbell)
        self._epoll.register(self._doorbell, select.EPOLLIN)
        self._is_rung = False
        self._rung: deque[Strand] = deque()  # other threads add to it
        self._at_sockets: dict[int, Strand] = {}
        self._asleep: set[Strand] = set()
        self._looked_at = boottime()
        self._hub = getcurrent()
        self._left = 0

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Carry `works` to their ends, which may never come."""
        self._hub = getcurrent()
        self._left = len(works)
        strands = [Strand(self, work) for work in works]
        self._asleep.update(strands)
        self._rung.extend(strands)
        while self._left:
            self._wake_the_rung()
            self._wake_the_served()
            self._wake_the_late()

    def carry(self, work: Callable[[], None]) -> None:
        """In a strand: all of it."""
        work()
        self._left -= 1

    def wait_for(self, strand: Strand, descriptor: int, events: int, until: float) -> None:
        """In `strand`: let the others go on until one of `events` is there."""
        strand.until = until
        try:
            self._epoll.modify(descriptor, events | select.EPOLLONESHOT)
        except FileNotFoundError:
            # a new one: the kernel forgets those that are closed
            self._epoll.register(descriptor, events | select.EPOLLONESHOT)
        self._at_sockets[descriptor] = strand
        if not self._go_on_with_others():
            raise TimeoutError("the time for this hand-off is used up")

    def sleep(self, strand: Strand, until: float) -> None:
        """In `strand`: let the others go on until it is rung for."""
        strand.until = until
        self._asleep.add(strand)
        self._go_on_with_others()

    def _go_on_with_others(self) -> bool:
        """Leave the thread to the loop; whether it came back for what was waited for."""
        came: bool = self._hub.switch()
        return came

    def ring(self, strand: Strand) -> None:
        """Wake a strand that sleeps, or is about to; for any thread."""
        self._rung.append(strand)
        # from within, the loop looks before it waits
        running = current_strand()
        if (running is None or running.loop is not self) and not self._is_rung:
            self._is_rung = True
            os.eventfd_write(self._doorbell, 1)

    def _wake_the_rung(self) -> None:
        while self._rung:
            strand = self._rung.popleft()
            if strand in self._asleep:
                self._asleep.discard(strand)
                strand.switch(True)

    def _wake_the_served(self) -> None:
        for descriptor, _ in self._epoll.poll(_LOOK_SECONDS):
            if descriptor == self._doorbell:
                os.eventfd_read(self._doorbell)
                # before it is looked who was rung for: who rings later, rings again
                self._is_rung = False
            elif strand := self._at_sockets.pop(descriptor, None):
                strand.switch(True)

    def _wake_the_late(self) -> None:
        now = boottime()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        for descriptor, strand in [*self._at_sockets.items()]:
            if strand.until <= now:
                del self._at_sockets[descriptor]
                strand.switch(False)
        for strand in [*self._asleep]:
            if strand.until <= now:
                self._asleep.discard(strand)
                strand.switch(False)


def current_strand() -> Strand | None:
    """The strand that runs this code, if one does."""
    running = getcurrent()
    return running if isinstance(running, Strand) else None


def run_as_strands(works: Sequence[Callable[[], None]]) -> None:
    """Have `works` go on side by side in one new thread, which ends with them or the process."""
    threading.Thread(target=_Loop().run, args=(works,), daemon=True, name="strands").start()


class Bell:
    """Wakes whoever made it, a thread or a strand; any thread may ring."""

    def __init__(self) -> None:
        self._strand = current_strand()
        self._event = threading.Event()

    def ring(self) -> None:
        """End the wait that is under way, or else the next one."""
        self._event.set()
        if self._strand is not None:
            self._strand.loop.ring(self._strand)

    def wait(self, seconds: float) -> None:
        """Wait until it is rung, for `seconds` at most."""
        if self._strand is None:
            self._event.wait(seconds)
        elif not self._event.is_set():
            self._strand.loop.sleep(self._strand, boottime() + seconds)
        self._event.clear()


def in_a_thread(call: Callable[[], T], *, seconds: float) -> T:
    """Do what may block in a thread of its own, and wait for it.

    Raises what `call` raises, and TimeoutError after `seconds`; the thread is then left to itself.
    """
    ends: list[tuple[Any, BaseException | None]] = []
    bell = Bell()

    def work() -> None:
        try:
            ends.append((call(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            ends.append((None, error))
        bell.ring()

    until = boottime() + seconds
    threading.Thread(target=work, daemon=True, name="blocking").start()
    while not ends:
        left = until - boottime()
        if left <= 0:
            raise TimeoutError(f"no end within {seconds:g} s")
        bell.wait(left)
    value, error = ends[0]
    if error is not None:
        raise error
    result: T = value
    return result
