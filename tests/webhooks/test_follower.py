"""Whoever writes at the same time, an endpoint is given each event once, and none is missed."""

import threading
from collections.abc import Callable

import pytest
from django.db import close_old_connections, connection, transaction

from notifications.history.changes import add_event, lock_messages
from notifications.history.positions import sequence_events
from notifications.models import Event, EventPosition, Message, User, WebhookDelivery
from notifications.webhooks import follower
from notifications.webhooks.endpoints import create_endpoint
from notifications.webhooks.follower import follow_events
from tests import stories
from tests.factories import UserFactory

URL = "https://hooks.example.com/"


def in_thread(work: Callable[[], None]) -> threading.Thread:
    """Run `work` beside the test, on a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_nothing_is_missed_or_doubled_while_many_write_and_many_follow() -> None:
    owner, other = UserFactory(), UserFactory()
    endpoints = [create_endpoint(owner=owner, url=URL, kinds=[])[0] for _ in range(2)]
    writing = threading.Event()
    writing.set()

    def write(user: User) -> Callable[[], None]:
        def work() -> None:
            for _ in range(40):
                stories.accepted(user, "ann@example.org")

        return work

    def follow() -> None:
        while writing.is_set():
            sequence_events()
            follow_events()

    followers = [in_thread(follow) for _ in range(2)]
    writers = [in_thread(write(user)) for user in (owner, owner, other)]
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in followers:
        thread.join()
    sequence_events()
    follow_events()

    mine = set(Event.objects.filter(message__owner=owner).values_list("id", flat=True))
    assert len(mine) == 80
    for endpoint in endpoints:
        given = list(endpoint.deliveries.values_list("event_id", flat=True))
        assert sorted(given) == sorted(mine)


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_missed() -> None:
    owner = UserFactory()
    late, early = (stories.accepted(owner, "ann@example.org") for _ in range(2))
    sequence_events()
    endpoint, _ = create_endpoint(owner=owner, url=URL, kinds=[])
    is_written, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            retry(late)
            is_written.set()
            may_commit.wait(30)

    thread = in_thread(write_slowly)
    is_written.wait(30)
    with transaction.atomic():
        retry(early)
    sequence_events()
    follow_events()
    assert endpoint.deliveries.count() == 1
    may_commit.set()
    thread.join()
    sequence_events()
    follow_events()
    assert endpoint.deliveries.count() == 2
    close_old_connections()


def retry(message: Message) -> None:
    """Write an event for `message`."""
    lock_messages([message.id])
    add_event(message_id=message.id, kind="retried", data={})


@pytest.mark.django_db
def test_an_endpoint_far_behind_catches_up_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "_LIMIT", 2)
    owner = UserFactory()
    endpoint, _ = create_endpoint(owner=owner, url=URL, kinds=[])
    for _ in range(5):
        stories.accepted(owner, "ann@example.org")
    sequence_events()
    assert follow_events() == 5
    assert follow_events() == 0
    endpoint.refresh_from_db()
    assert endpoint.position == EventPosition.objects.count() == 5
    assert WebhookDelivery.objects.count() == 5
