"""What the broker hands over, and what it keeps back: there must be a worker that is free."""

from collections.abc import Iterator

import pytest
from django_q.models import OrmQ
from django_q.tasks import async_task

from notifications.delivery.stop_flag import stop_flag
from notifications.models import Message
from notifications.queue.board import Board, Kind, Ticket
from notifications.queue.broker import LOST_SECONDS, ClusterBroker
from notifications.queue.claim import CLAIM_LIMIT
from notifications.queue.pace import LONGEST_CLAIM
from tests.conftest import wait_until
from tests.factories import UserFactory, make_message
from tests.queue.line import queue_up
from tests.queue.scene import BATCH, BEAT, Scene

pytestmark = pytest.mark.django_db(transaction=True)

ORDINARY = "math.factorial"


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Two workers, unless the test says otherwise; the first beat is over."""
    scene = Scene(getattr(request, "param", 2))
    assert scene.give(to=scene.workers[0]) == BEAT
    scene.workers[0].do("finish")
    yield scene
    scene.close()
    stop_flag.clear()


def leased() -> int:
    """How many messages are claimed."""
    return Message.objects.filter(lease_until__isnull=False).count()


def age(board: Board) -> None:
    """Let LOST_SECONDS pass for what waits on the board."""
    for place in board._places:
        place.handed_at -= LOST_SECONDS + 1


def test_nothing_is_claimed_while_every_worker_is_busy(scene: Scene) -> None:
    for busy in scene.workers:
        make_message()
        assert scene.give(to=busy) == BATCH
    make_message()
    assert scene.next() is None
    assert leased() == 2
    scene.workers[1].do("finish")
    assert scene.give(to=scene.workers[1]) == BATCH


def test_what_is_on_its_way_to_a_worker_takes_its_place(scene: Scene) -> None:
    for _ in scene.workers:
        make_message()
        assert scene.handed()
    make_message()
    assert scene.next() is None
    assert leased() == 2


def test_ordinary_tasks_leave_one_worker_to_the_messages(scene: Scene) -> None:
    for _ in range(2):
        async_task(ORDINARY, 5)
    first, second = scene.workers
    assert scene.give(to=first) == ORDINARY
    assert scene.next() is None
    make_message()
    assert scene.give(to=second) == BATCH
    first.do("finish")
    assert scene.give(to=first) == ORDINARY


@pytest.mark.parametrize("scene", [1], indirect=True)
def test_with_one_worker_messages_and_ordinary_tasks_take_turns(scene: Scene) -> None:
    for _ in range(2):
        async_task(ORDINARY, 5)
    (only,) = scene.workers
    given = []
    for _ in range(4):
        make_message()
        given.append(scene.give(to=only))
        only.do("finish")
    assert given == [BATCH, ORDINARY, BATCH, ORDINARY]


def test_an_ordinary_task_is_stored_until_it_is_acknowledged(scene: Scene) -> None:
    async_task(ORDINARY, 5)
    _, ticket = scene.handed()
    assert OrmQ.objects.count() == 1
    scene.broker.acknowledge(ticket)
    assert OrmQ.objects.count() == 0


def test_an_unreadable_task_is_forgotten_and_takes_no_place(scene: Scene) -> None:
    scene.broker.enqueue("rubbish")
    assert wait_until(scene.broker.dequeue)
    (task,) = OrmQ.objects.all()
    (waiting,) = scene.board.waiting()
    scene.broker.fail(Ticket(waiting.place, waiting.number, Kind.ORDINARY, task.pk))
    assert (OrmQ.objects.count(), scene.board.waiting()) == (0, [])


def test_once_the_cluster_is_to_end_nothing_is_claimed(scene: Scene) -> None:
    stop_flag.set()
    make_message()
    assert scene.next() is None
    assert leased() == 0


def test_a_task_that_was_lost_with_its_worker_is_let_go(scene: Scene) -> None:
    message = make_message()
    assert scene.handed()
    async_task(ORDINARY, 5)
    assert scene.give(to=scene.workers[0]) == ORDINARY
    assert leased() == 1
    age(scene.board)
    func, _ = scene.handed()
    assert func == BATCH
    message.refresh_from_db()
    assert message.lease_token is not None
    assert [task.number for task in scene.board.waiting()] == [scene.board.handed]


@pytest.mark.parametrize("scene", [1], indirect=True)
def test_what_a_pusher_that_died_had_handed_over_is_let_go_by_the_next(scene: Scene) -> None:
    make_message()
    assert scene.handed()
    scene.broker._listener.close()
    scene.broker = ClusterBroker(scene.board)
    assert scene.next() is None
    age(scene.board)
    assert scene.handed()


def test_a_long_queue_goes_in_large_batches_while_they_end_soon(scene: Scene) -> None:
    queue_up(UserFactory(), 2 * CLAIM_LIMIT + LONGEST_CLAIM)
    first, second = scene.workers
    assert scene.give(to=first) == BATCH
    assert leased() == CLAIM_LIMIT
    # nothing is known yet of how long it takes
    assert scene.give(to=second) == BATCH
    assert leased() == 2 * CLAIM_LIMIT
    first.do("finish")
    assert scene.give(to=first) == BATCH
    assert leased() == 2 * CLAIM_LIMIT + LONGEST_CLAIM


@pytest.mark.parametrize("scene", [1], indirect=True)
def test_batches_are_small_while_they_take_long(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    # any batch takes longer than that
    monkeypatch.setattr("notifications.queue.pace.AIM_SECONDS", 1e-9)
    queue_up(UserFactory(), 3 * CLAIM_LIMIT)
    (only,) = scene.workers
    for number in (1, 2):
        assert scene.give(to=only) == BATCH
        assert leased() == number * CLAIM_LIMIT
        only.do("finish")


@pytest.mark.parametrize("scene", [1], indirect=True)
def test_batches_are_small_again_once_the_queue_was_empty(scene: Scene) -> None:
    owner, (only,) = UserFactory(), scene.workers
    for count, claimed in ((CLAIM_LIMIT + 1, CLAIM_LIMIT), (0, 1), (2 * CLAIM_LIMIT, CLAIM_LIMIT)):
        before = leased()
        queue_up(owner, count)
        assert scene.give(to=only) == BATCH
        assert leased() == before + claimed
        only.do("finish")
