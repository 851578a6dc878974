"""The board: what the processes of one cluster tell each other without waiting for anything.

Shared memory, made before the first fork. Each word has one writer at a time and is written by one
store, so that a process killed anywhere leaves nothing locked and nothing half written.

A worker owns a *slot* while it lives. A task that was handed over, and that no worker has taken up
yet, stands at a *place*; its `Ticket` travels with it, and the worker that takes it up clears it.
"""

import ctypes
import mmap
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from notifications.queue.record_locks import RecordLocks


class Kind(IntEnum):
    """What a task is; 0 stands for none."""

    OURS = 1
    """A batch, or the beat."""
    ORDINARY = 2
    """Stored in django-q2's own table."""


class Ticket(NamedTuple):
    """What django-q2 carries with a task as its acknowledgement id."""

    place: int
    number: int
    """Tasks are numbered in the order in which they were handed over, from 1."""
    kind: Kind
    task_id: int | None
    """The row of an ordinary task, to be deleted when it is done."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that was handed over and not taken up yet."""

    place: int
    number: int
    kind: int
    age: float
    """Seconds since it was handed over."""
    token: UUID | None
    """The lease of a batch."""


class _Head(ctypes.Structure):
    """`handed` is the pusher's, `seen` the monitor's."""

    handed: int
    seen: int
    _fields_ = (("handed", ctypes.c_uint64), ("seen", ctypes.c_uint64))


class _Slot(ctypes.Structure):
    """All its owner's. What an owner that died has written stays: only `work` begins anew."""

    taken: int  # the number of the last task taken up
    done: int  # how many tasks have ended
    work: int  # the kind of the task under way
    _fields_ = (
        ("taken", ctypes.c_uint64),
        ("done", ctypes.c_uint64),
        ("work", ctypes.c_uint64),
    )


class _Place(ctypes.Structure):
    """The pusher's while `number` is 0, else the worker's who clears it."""

    number: int
    handed_at: float
    kind: int
    token: ctypes.Array[ctypes.c_uint8]
    _fields_ = (
        ("number", ctypes.c_uint64),
        ("handed_at", ctypes.c_double),
        ("kind", ctypes.c_uint64),
        ("token", ctypes.c_uint8 * 16),
    )


class Board:
    """The shared memory of a cluster of `workers`; made by its main process before any fork."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.main = os.getpid()
        # a worker that must end may still live when its successor begins
        count = 2 * workers
        sizes = (ctypes.sizeof(_Head), ctypes.sizeof(_Slot) * count, ctypes.sizeof(_Place) * count)
        file = os.memfd_create("limbo-board")
        os.ftruncate(file, sum(sizes))
        memory = mmap.mmap(file, sum(sizes))
        self._head = _Head.from_buffer(memory)
        self._slots = (_Slot * count).from_buffer(memory, sizes[0])
        self._places = (_Place * count).from_buffer(memory, sizes[0] + sizes[1])
        self._locks = RecordLocks(file)
        self._pusher_byte = count
        # shown to nobody: of a process that owns no slot
        self._own = _Slot()

    # -- the pusher ----------------------------------------------------------------------------

    def own_pusher(self) -> None:
        """Be the pusher, as long as this process lives."""
        self._locks.own(self._pusher_byte)

    def room(self) -> int:
        """How many idle workers have nothing on its way to them."""
        # in this order: who takes up a task meanwhile is counted on both sides, never on neither
        on_their_way = len(self.waiting())
        # who lives is asked of the kernel: not for those that are busy anyway
        idle = [i for i, slot in enumerate(self._slots) if not slot.work and self._locks.owner(i)]
        return len(idle) - on_their_way

    def ordinary(self) -> int:
        """How many ordinary tasks are under way, or on their way to a worker."""
        waiting = [task for task in self.waiting() if task.kind == Kind.ORDINARY]
        return len(waiting) + sum(work == Kind.ORDINARY for _, work in self._living())

    def under_way(self) -> set[int]:
        """The numbers of the tasks that a worker has in hand, or that are on their way to one."""
        # in this order: who takes up a task meanwhile is seen on one side at least
        waiting = {task.number for task in self.waiting()}
        return waiting | {slot.taken for slot in self._slots if slot.work}

    def hand_over(
        self, kind: Kind, *, token: UUID | None = None, task_id: int | None = None
    ) -> Ticket:
        """Note that a task is on its way. Only while there is room, so that a place is free."""
        self._head.handed += 1
        index = next(i for i, place in enumerate(self._places) if not place.number)
        place = self._places[index]
        place.kind = kind
        place.handed_at = time.monotonic()
        place.token[:] = list((token or UUID(int=0)).bytes)
        # last: from here on the others see it
        place.number = self._head.handed
        return Ticket(index, place.number, kind, task_id)

    def withdraw(self, *, place: int, number: int) -> None:
        """Note that a task will not be taken up any more."""
        if self._places[place].number == number:
            self._places[place].number = 0

    # -- workers and the monitor ---------------------------------------------------------------

    def own_slot(self) -> None:
        """Take a free slot for this worker; its last owner's work is over."""
        for index, slot in enumerate(self._slots):
            if self._locks.own(index):
                slot.work = 0
                self._own = slot
                return

    def take_up(self, ticket: Ticket) -> None:
        """Note that this worker begins the task."""
        self._own.work = ticket.kind
        self._own.taken = ticket.number
        self.withdraw(place=ticket.place, number=ticket.number)

    def finish(self) -> None:
        """Note that this worker's task has ended, and its result is on its way to the monitor."""
        self._own.done += 1
        self._own.work = 0

    def see(self) -> None:
        """Note that the monitor has dealt with a result."""
        self._head.seen += 1

    # -- whoever wants to know -----------------------------------------------------------------

    @property
    def handed(self) -> int:
        """The number of the last task handed over."""
        return self._head.handed

    @property
    def taken(self) -> int:
        """The highest number of a task that was taken up."""
        return max(slot.taken for slot in self._slots)

    @property
    def done(self) -> int:
        """How many tasks have ended."""
        return sum(slot.done for slot in self._slots)

    @property
    def seen(self) -> int:
        """How many results the monitor has dealt with."""
        return self._head.seen

    def waiting(self) -> list[Waiting]:
        """What was handed over and not taken up yet."""
        now = time.monotonic()
        return [
            Waiting(index, place.number, place.kind, now - place.handed_at, _token(place))
            for index, place in enumerate(self._places)
            if place.number
        ]

    def pusher(self) -> int:
        """The pusher's process; 0 when there is none."""
        return self._locks.owner(self._pusher_byte)

    def living(self) -> list[int]:
        """The workers' processes."""
        return [pid for pid, _ in self._living()]

    def busy(self) -> list[int]:
        """The processes of the workers that have a task under way."""
        return [pid for pid, work in self._living() if work]

    def _living(self) -> Iterator[tuple[int, int]]:
        for index, slot in enumerate(self._slots):
            work = slot.work
            if pid := self._locks.owner(index):
                yield pid, work


def _token(place: _Place) -> UUID | None:
    token = UUID(bytes=bytes(place.token))
    return token if token.int else None
