"""The real web front under many requests at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notifications.models import Message
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.factories import UserFactory
from tests.faults.client import Client, Reply, in_parallel

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PLACES = 4
"""Half of the threads that the system's web front has."""

POLL = "/v1/events?cursor=end&wait=30"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A web front, and no worker."""
    with System(tmp_path, "sink=smtp://127.0.0.1:1") as system:
        system.start_web()
        yield system


def is_turned_away(reply: Reply) -> bool:
    """Whether a poll was answered without having waited."""
    return "retry-after" in reply.headers


def follow(reader: Client) -> Reply:
    """The answer of a poll that has waited; one that found no place is repeated."""
    while is_turned_away(reply := reader.ask("GET", POLL)):
        pass
    return reply


def test_polls_that_wait_leave_threads_for_the_rest(system: System) -> None:
    owner = UserFactory()
    readers = [Client.of(owner, system.port) for _ in range(PLACES)]
    late, writer = Client.of(owner, system.port), Client.of(owner, system.port)
    with ThreadPoolExecutor(PLACES) as threads:
        polls = [threads.submit(follow, reader) for reader in readers]
        wait_until(lambda: is_turned_away(late.ask("GET", "/v1/events?cursor=end&wait=1")))
        assert is_turned_away(readers[0].ask("GET", POLL))
        assert not any(poll.done() for poll in polls)
        posted = writer.submit("one")
        for poll in polls:
            (event, *_) = poll.result(timeout=30).json["results"]
            assert (event["message_id"], event["kind"]) == (str(posted), "accepted")
    assert not is_turned_away(late.ask("GET", "/v1/events?cursor=end&wait=1"))


def test_fifty_equal_requests_at_once_make_one_message(system: System) -> None:
    client = Client.of(UserFactory(), system.port)
    replies = in_parallel(lambda _: client.post("the key"), [str(n) for n in range(50)])
    taken = {reply.message_id for reply in replies.values() if reply.is_success}
    waits = [reply for reply in replies.values() if not reply.is_success]
    assert {reply.status for reply in waits} <= {409}
    assert all(int(reply.headers["retry-after"]) > 0 for reply in waits)
    assert taken == set(Message.objects.values_list("id", flat=True))
    assert len(taken) == 1
    again = client.post("the key")
    assert again.message_id in taken
    assert again.headers["idempotency-replayed"] == "true"
