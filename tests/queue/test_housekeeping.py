"""What follows events gives way to mail: a step while a long queue waits, and the rest after it."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from notifications.history.positions import sequence_events
from notifications.history.search import having, word_terms
from notifications.models import Message, User
from notifications.queue import housekeeping
from notifications.queue.claim import CLAIM_LIMIT
from tests.conftest import wait_until
from tests.factories import UserFactory
from tests.queue.line import queue_up
from tests.queue.scene import BATCH, BEAT, Scene
from tests.stories import DAY, accepted

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES = 12


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """One worker, and a search that reads one event at a step; the first tick is over."""
    monkeypatch.setattr(housekeeping, "_SEARCH_STEP", 1)
    scene = Scene(1)
    assert scene.give(to=scene.workers[0]) == BEAT
    scene.workers[0].do("finish")
    yield scene
    scene.close()


@pytest.fixture
def owner() -> User:
    """Whose messages were accepted, for tomorrow."""
    owner = UserFactory()
    for _ in range(MESSAGES):
        accepted(owner, subject="Hello")
    Message.objects.update(due_at=timezone.now() + DAY, turn=None)
    assert sequence_events() == MESSAGES
    return owner


def found(owner: User) -> int:
    """How many of the messages the search knows of."""
    return having(owner, word_terms("Hello")).count()


def test_a_tick_makes_findable_what_it_has_time_for(
    scene: Scene, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "FOLLOW_SECONDS", 60)
    assert wait_until(lambda: not scene.next() and found(owner)) == MESSAGES


def test_with_nothing_to_send_what_a_tick_has_left_comes_at_once(
    scene: Scene, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "FOLLOW_SECONDS", 0)
    wait_until(lambda: not scene.next() and found(owner))
    for _ in range(MESSAGES):
        assert not scene.next()
    assert found(owner) == MESSAGES


def test_while_the_queue_is_long_a_tick_makes_one_step(
    scene: Scene, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "FOLLOW_SECONDS", 60)
    queue_up(UserFactory(), 2 * CLAIM_LIMIT)
    assert scene.give(to=scene.workers[0]) == BATCH
    assert found(owner) == 0
    assert wait_until(lambda: not scene.next() and found(owner)) == 1
