"""The board: what it shows of real processes, some of them killed."""

from uuid import uuid4

from notifications.queue.board import Board, Kind
from tests.queue.forked import Forked, worker


def test_there_is_room_for_as_many_tasks_as_workers_are_idle() -> None:
    board = Board(2)
    assert board.room() == 0
    with worker(board), worker(board) as second:
        assert board.room() == 2
        ticket = board.hand_over(Kind.OURS)
        assert board.room() == 1
        second.do("take_up", ticket)
        assert (board.room(), board.busy()) == (1, [second.pid])
        second.do("finish")
        assert (board.room(), board.busy()) == (2, [])


def test_a_killed_worker_is_no_room_and_its_successor_is_idle() -> None:
    board = Board(1)
    with worker(board) as first:
        first.do("take_up", board.hand_over(Kind.OURS))
        first.kill()
        assert (board.living(), board.busy(), board.room()) == ([], [], 0)
        with worker(board) as second:
            assert (board.living(), board.busy(), board.room()) == ([second.pid], [], 1)
            assert (board.taken, board.done) == (1, 0)


def test_a_worker_that_comes_before_its_predecessor_is_gone_finds_a_slot() -> None:
    board = Board(1)
    with worker(board) as first, worker(board) as second:
        assert board.living() == [first.pid, second.pid]


def test_a_task_waits_until_it_is_taken_up() -> None:
    board = Board(2)
    token = uuid4()
    with worker(board) as first, worker(board):
        ticket = board.hand_over(Kind.OURS, token=token)
        other = board.hand_over(Kind.ORDINARY, task_id=7)
        assert [(task.number, task.token) for task in board.waiting()] == [(1, token), (2, None)]
        first.do("take_up", ticket)
        assert [task.number for task in board.waiting()] == [2]
        assert (board.handed, board.taken, other.task_id) == (2, 1, 7)


def test_what_was_withdrawn_and_turns_up_after_all_takes_no_other_s_place() -> None:
    board = Board(1)
    with worker(board) as only:
        lost = board.hand_over(Kind.OURS)
        board.withdraw(place=lost.place, number=lost.number)
        later = board.hand_over(Kind.OURS)
        assert later.place == lost.place
        only.do("take_up", lost)
        assert [task.number for task in board.waiting()] == [later.number]


def test_ordinary_tasks_are_counted_on_their_way_and_under_way() -> None:
    board = Board(2)
    with worker(board) as first, worker(board) as second:
        ticket = board.hand_over(Kind.ORDINARY)
        second.do("take_up", board.hand_over(Kind.OURS))
        assert board.ordinary() == 1
        first.do("take_up", ticket)
        assert board.ordinary() == 1
        first.kill()
        assert board.ordinary() == 0


def test_the_counters_outlive_the_pusher_and_the_monitor() -> None:
    board = Board(1)
    with worker(board), Forked(board) as pusher, Forked(board) as monitor:
        pusher.do("own_pusher")
        assert board.pusher() == pusher.pid
        pusher.do("hand_over", Kind.OURS)
        monitor.do("see")
        pusher.kill()
        monitor.kill()
        assert (board.pusher(), board.handed, board.seen) == (0, 1, 1)
