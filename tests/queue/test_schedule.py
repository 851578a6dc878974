"""A scheduled message waits for its time, and then for its turn like any other."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from benchmarks.limbo_side.line import give_turns
from notifications.models import Message, User
from notifications.queue.claim import claim_next
from notifications.queue.schedule import release_scheduled
from tests.factories import DeliveryFactory, MessageFactory, SuppressionFactory, UserFactory
from tests.queue.line import become_due, plan_of

pytestmark = pytest.mark.django_db


def scheduled(*addresses: str, owner: User | None = None, ago: float = 1) -> Message:
    """A message that is scheduled for `ago` seconds ago."""
    at = timezone.now() - timedelta(seconds=ago)
    message: Message = MessageFactory(
        owner=owner or UserFactory(), due_at=at, send_at=at, turn=None, state="scheduled"
    )
    for position, address in enumerate(addresses or ("ada@example.org",)):
        DeliveryFactory(message=message, address=address, position=position, state="scheduled")
    return message


def states(message: Message) -> list[str]:
    """The message's state, and its deliveries'."""
    message.refresh_from_db()
    deliveries = message.deliveries.order_by("position").values_list("state", flat=True)
    return [message.state, *deliveries]


def test_before_its_time_it_is_neither_released_nor_claimed() -> None:
    message = scheduled(ago=-60)
    assert (release_scheduled(), give_turns(), claim_next()) == (0, 0, None)
    assert states(message) == ["scheduled", "scheduled"]


def test_at_its_time_it_waits_for_its_turn_and_is_claimed() -> None:
    message = scheduled("a@example.org", "b@example.org")
    # not even by who forgot to release it
    assert (give_turns(), claim_next()) == (0, None)
    assert release_scheduled() == 1
    assert states(message) == ["pending", "pending", "pending"]
    assert give_turns() == 1
    claim = claim_next()
    assert claim is not None
    assert claim.message_ids == [str(message.id)]
    assert [event.kind for event in message.events.order_by("seq")] == ["pending", "pending"]
    assert release_scheduled() == 0


def test_who_was_suppressed_meanwhile_gets_nothing() -> None:
    owner = UserFactory()
    message = scheduled("Gone@example.org", "ada@example.org", owner=owner)
    SuppressionFactory(owner=owner, address="gone@example.org", reason="complained")
    SuppressionFactory(address="ada@example.org")
    release_scheduled()
    assert states(message) == ["pending", "suppressed", "pending"]
    event = message.events.get(kind="suppressed")
    assert event.data == {"reason": "complained"}


def test_the_longest_due_come_first_and_the_rest_later() -> None:
    owner = UserFactory()
    late, later = scheduled(owner=owner, ago=5), scheduled(owner=owner, ago=10)
    assert release_scheduled(limit=1) == 1
    assert (states(late)[0], states(later)[0]) == ("scheduled", "pending")


@pytest.mark.django_db(transaction=True)
def test_what_another_session_is_changing_is_left_alone() -> None:
    message = scheduled()
    counts: list[int] = []

    def release() -> None:
        counts.append(release_scheduled())
        connection.close()

    with transaction.atomic():
        Message.objects.select_for_update().get(id=message.id)
        thread = Thread(target=release)
        thread.start()
        thread.join()
    assert counts == [0]
    assert release_scheduled() == 1


def test_looking_for_it_takes_an_index_however_much_else_is_due() -> None:
    become_due(UserFactory(), 2000)
    node = plan_of(release_scheduled, "Index Scan")
    assert node["Index Name"] == "message_scheduled"
