"""What the watchdog takes for stuck, and what it does not."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from notifications.queue.board import Board, Kind
from notifications.queue.watchdog import LOOK_SECONDS, PATIENCE_SECONDS, Watchdog
from tests.queue.forked import Forked, worker

PATIENCE = round(PATIENCE_SECONDS / LOOK_SECONDS)


class Scene:
    """A cluster of one worker with its pusher, and the watchdog that looks at it."""

    def __init__(self, stack: ExitStack) -> None:
        self.board = Board(1)
        self.watchdog = Watchdog(self.board)
        self.worker = stack.enter_context(worker(self.board))
        self.pusher = stack.enter_context(Forked(self.board))
        self.pusher.do("own_pusher")

    def looks(self, times: int) -> list[str]:
        """What the watchdog says, in so many looks."""
        return [self.watchdog.look() for _ in range(times)]

    def work(self) -> None:
        """One task goes the whole way to the end of its work."""
        self.worker.do("take_up", self.board.hand_over(Kind.OURS))
        self.worker.do("finish")


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A cluster that works."""
    with ExitStack() as stack:
        yield Scene(stack)


def test_a_cluster_that_is_idle_or_works_for_long_is_well(scene: Scene) -> None:
    assert not any(scene.looks(2 * PATIENCE))
    scene.worker.do("take_up", scene.board.hand_over(Kind.OURS))
    assert not any(scene.looks(2 * PATIENCE))
    scene.worker.do("finish")
    scene.board.see()
    assert not any(scene.looks(2 * PATIENCE))


def test_what_is_not_taken_up_is_noticed_when_the_patience_ends(scene: Scene) -> None:
    scene.board.hand_over(Kind.OURS)
    said = scene.looks(PATIENCE)
    assert not any(said[:-1])
    assert "not taken up" in said[-1]


def test_a_lost_task_among_others_that_are_taken_up_is_no_standstill(scene: Scene) -> None:
    scene.board.hand_over(Kind.OURS)
    for _ in range(4):
        assert not any(scene.looks(PATIENCE - 1))
        scene.work()
        scene.board.see()


def test_a_dead_worker_that_is_not_replaced_is_noticed(scene: Scene) -> None:
    scene.worker.kill()
    assert "dead worker" in scene.looks(PATIENCE)[-1]


def test_a_dead_worker_that_is_replaced_in_time_is_none(scene: Scene) -> None:
    scene.worker.kill()
    assert not any(scene.looks(PATIENCE - 1))
    with worker(scene.board):
        assert not any(scene.looks(2 * PATIENCE))


def test_a_dead_pusher_that_is_not_replaced_is_noticed(scene: Scene) -> None:
    scene.pusher.kill()
    assert "pusher" in scene.looks(PATIENCE)[-1]


def test_results_that_the_monitor_does_not_see_are_noticed(scene: Scene) -> None:
    scene.work()
    assert "monitor" in scene.looks(PATIENCE)[-1]


def test_one_lost_result_does_not_condemn_a_monitor_that_sees_the_next(scene: Scene) -> None:
    scene.work()
    scene.looks(1)
    scene.work()
    scene.board.see()
    assert not any(scene.looks(2 * PATIENCE))
