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
from contextlib import suppress
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

from notifications.models.lease import boottime

T = TypeVar("T")

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT

TIME_IS_UP = "the time for this hand-off is used up"

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

    def wait_for(self, watch: "Watch", events: int, until: float) -> None:
        """Let the others go on until one of `events` is there, READABLE or WRITABLE.

        Raises TimeoutError when it is past `until`.
        """
        if watch.events != events:
            self.loop.watch(watch, events)
        self.until = until
        watch.strand = self
        came: bool = self.loop.hub.switch()
        if not came:
            raise TimeoutError(TIME_IS_UP)

    def look(self, watch: "Watch") -> bool:
        """Let the others go first; returns whether something can be read there by then.

        Those who look go on one right after the other: one call of the system looks for all, and
        what they write then wakes a server once, and not once for each of them.
        """
        if watch.events != READABLE:
            self.loop.watch(watch, READABLE)
        self.loop.looking[watch.descriptor] = self
        came: bool = self.loop.hub.switch()
        return came


class Watch:
    """A socket as the loop of those who use it sees it, from the first wait there on.

    It belongs to the socket, and the kernel forgets those that are closed: nobody has to tell.
    """

    __slots__ = ("descriptor", "events", "strand")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.events = 0
        """What the kernel tells of; nothing before the first wait."""
        self.strand: Strand | None = None
        """Who waits there."""


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
        self._watches: dict[int, Watch] = {}  # by descriptor, the last one of each
        self._asleep: set[Strand] = set()
        self.looking: dict[int, Strand] = {}
        """Who looks, by descriptor."""
        self._looked_at = boottime()
        self.hub = getcurrent()
        """The thread's own course, to which a strand switches to wait."""
        self._left = 0

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Carry `works` to their ends, which may never come."""
        self.hub = getcurrent()
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

    def watch(self, watch: Watch, events: int) -> None:
        """Have the kernel tell of `events` there from now on."""
        try:
            self._epoll.modify(watch.descriptor, events)
        except FileNotFoundError:
            self._epoll.register(watch.descriptor, events)
        watch.events = events
        self._watches[watch.descriptor] = watch

    def _look_away(self, watch: Watch) -> None:
        """Until somebody waits there: the kernel would tell of the same again and again."""
        # one that was closed a moment ago is forgotten already
        with suppress(OSError):
            self._epoll.unregister(watch.descriptor)
        watch.events = 0

    def sleep(self, strand: Strand, until: float) -> None:
        """In `strand`: let the others go on until it is rung for."""
        strand.until = until
        self._asleep.add(strand)
        self.hub.switch()

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
        looking, self.looking = self.looking, {}
        for descriptor, _ in self._epoll.poll(0 if looking else _LOOK_SECONDS):
            if descriptor == self._doorbell:
                os.eventfd_read(self._doorbell)
                # before it is looked who was rung for: who rings later, rings again
                self._is_rung = False
                continue
            if descriptor in looking:
                looking.pop(descriptor).switch(True)
                continue
            watch = self._watches[descriptor]
            strand, watch.strand = watch.strand, None
            if strand is None:
                self._look_away(watch)
            else:
                strand.switch(True)
        for strand in looking.values():
            strand.switch(False)

    def _wake_the_late(self) -> None:
        now = boottime()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        for watch in [*self._watches.values()]:
            strand = watch.strand
            if strand is not None and strand.until <= now:
                watch.strand = None
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
