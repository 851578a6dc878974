"""Strands: each goes on while the others wait, and none waits for longer than it may."""

import socket
import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from notifications.delivery.strands import (
    READABLE,
    Bell,
    Watch,
    current_strand,
    in_a_thread,
    run_as_strands,
)
from notifications.models.lease import boottime

Work = Callable[[], object]


def ends_of(*works: Work) -> list[object]:
    """What each of `works` returned or raised, in the order in which they ended."""
    ends: SimpleQueue[object] = SimpleQueue()

    def carried(work: Work) -> Callable[[], None]:
        def carry() -> None:
            try:
                ends.put(work())
            except Exception as error:  # noqa: BLE001 - it is looked at
                ends.put(error)

        return carry

    run_as_strands([carried(work) for work in works])
    return [ends.get(timeout=30) for _ in works]


def wait_to_read(watch: Watch, *, seconds: float = 30) -> None:
    """In a strand: wait until there is something."""
    strand = current_strand()
    assert strand is not None
    strand.wait_for(watch, READABLE, boottime() + seconds)


def test_a_strand_goes_on_while_another_waits_at_a_socket() -> None:
    near, far = socket.socketpair()
    with near, far:

        def waits() -> bytes:
            wait_to_read(Watch(near.fileno()))
            return near.recv(10)

        def speaks() -> str:
            far.send(b"hello")
            return "spoke"

        assert ends_of(waits, speaks) == ["spoke", b"hello"]


def test_a_wait_at_a_socket_ends_in_time() -> None:
    near, far = socket.socketpair()
    with near, far:
        (end,) = ends_of(lambda: wait_to_read(Watch(near.fileno()), seconds=0.05))
    assert isinstance(end, TimeoutError)


def test_a_socket_that_takes_an_old_ones_number_is_waited_for_too() -> None:
    def reads_from_two_in_turn() -> list[int]:
        numbers = []
        for _ in range(2):
            near, far = socket.socketpair()
            with near, far:
                far.send(b"x")
                wait_to_read(Watch(near.fileno()))
                numbers.append(near.fileno())
        return numbers

    (numbers,) = ends_of(reads_from_two_in_turn)
    assert isinstance(numbers, list)
    assert numbers[0] == numbers[1]


def test_a_socket_is_waited_for_again_and_again() -> None:
    near, far = socket.socketpair()
    with near, far:
        watch = Watch(near.fileno())

        def hears() -> bytes:
            heard = b""
            while len(heard) < 3:
                wait_to_read(watch)
                heard += near.recv(1)
            return heard

        def speaks() -> str:
            far.send(b"abc")
            return "spoke"

        assert ends_of(hears, speaks) == ["spoke", b"abc"]


def test_a_socket_at_which_nobody_waits_is_not_told_of_until_somebody_does() -> None:
    near, far = socket.socketpair()
    with near, far:
        watch = Watch(near.fileno())

        def hears_late() -> tuple[int, bytes]:
            far.send(b"first")
            wait_to_read(watch)
            near.recv(10)
            far.send(b"second")
            # the loop comes to see what is there while this one sleeps
            Bell().wait(0.01)
            events = watch.events
            wait_to_read(watch)
            return events, near.recv(10)

        assert ends_of(hears_late) == [(0, b"second")]


def look(watch: Watch) -> bool:
    """In a strand: let the others go first; whether something has come by then."""
    strand = current_strand()
    assert strand is not None
    return strand.look(watch)


def test_who_looks_at_a_socket_lets_the_others_go_first() -> None:
    near, far = socket.socketpair()
    with near, far:

        def looks() -> bool:
            return look(Watch(near.fileno()))

        def speaks() -> str:
            far.send(b"hello")
            return "spoke"

        assert ends_of(looks, speaks) == ["spoke", True]


def test_those_who_look_at_sockets_go_on_one_after_the_other() -> None:
    steps = []

    def looks(name: str) -> None:
        near, far = socket.socketpair()
        with near, far:
            steps.append(f"{name} looks")
            has_come = look(Watch(near.fileno()))
            steps.append(f"{name} goes on, {has_come}")

    ends_of(lambda: looks("one"), lambda: looks("another"))
    assert steps == ["one looks", "another looks", "one goes on, False", "another goes on, False"]


def test_another_thread_rings_for_a_strand() -> None:
    def waits() -> str:
        bell = Bell()
        threading.Thread(target=bell.ring).start()
        bell.wait(30)
        return "rung"

    assert ends_of(waits) == ["rung"]


def test_a_bell_that_was_rung_before_is_heard() -> None:
    def waits() -> str:
        bell = Bell()
        bell.ring()
        bell.wait(30)
        return "rung"

    assert ends_of(waits) == ["rung"]
    assert waits() == "rung"


def test_what_blocks_in_a_thread_of_its_own_holds_nobody_up() -> None:
    over = threading.Event()

    def blocks() -> str:
        return in_a_thread(lambda: "free" if over.wait(30) else "stuck", seconds=30)

    def goes_on() -> str:
        over.set()
        return "went on"

    assert ends_of(blocks, goes_on) == ["went on", "free"]


@pytest.mark.parametrize("how", ["strand", "thread"])
def test_what_blocks_for_too_long_is_left_behind(how: str) -> None:
    over = threading.Event()

    def blocks() -> str:
        return in_a_thread(lambda: str(over.wait(30)), seconds=0.05)

    try:
        if how == "strand":
            (end,) = ends_of(blocks)
            assert isinstance(end, TimeoutError)
        else:
            with pytest.raises(TimeoutError):
                blocks()
    finally:
        over.set()


def test_what_fails_in_a_thread_of_its_own_fails_where_it_is_waited_for() -> None:
    def fails() -> str:
        return in_a_thread(lambda: str(1 / 0), seconds=30)

    (end,) = ends_of(fails)
    assert isinstance(end, ZeroDivisionError)
