"""Staff's switches: off, draining, and how much."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery.switches import disable, drain, enable, weigh
from notifications.models import Delivery, Message, Provider, State
from tests.conftest import wait_until
from tests.delivery.two_providers import ALWAYS, ask_first, configure, deliver, smtp
from tests.factories import make_message
from tests.peers.actions import Action, Line
from tests.peers.http_peer import Answer, HttpPeer, resend
from tests.peers.smtp_peer import SmtpPeer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    """Where a test keeps its peers open."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def two(settings: Settings, peers: ExitStack) -> tuple[SmtpPeer, SmtpPeer]:
    """Two providers, of which the first is asked first."""
    first, second = (peers.enter_context(SmtpPeer()) for _ in range(2))
    ask_first(settings, smtp(first), smtp(second))
    return first, second


def taken(two: tuple[SmtpPeer, SmtpPeer]) -> tuple[int, int]:
    return len(two[0].taken), len(two[1].taken)


@pytest.mark.parametrize("switch", [drain, disable])
def test_what_drains_or_is_off_is_given_nothing_new(
    two: tuple[SmtpPeer, SmtpPeer], switch: Callable[[str], None]
) -> None:
    switch("first")
    for _ in range(3):
        make_message()
    deliver()
    assert taken(two) == (0, 3)


def test_enabling_uses_it_again_and_forgets_its_fault(two: tuple[SmtpPeer, SmtpPeer]) -> None:
    Provider.objects.filter(name="first").update(
        enabled=False, is_draining=True, fault="535 bad credentials"
    )
    enable("first")
    make_message()
    deliver()
    assert taken(two) == (1, 0)


def test_a_weight_is_the_share_from_the_next_batch_on(two: tuple[SmtpPeer, SmtpPeer]) -> None:
    weigh("first", 1)
    weigh("second", ALWAYS)
    make_message()
    deliver()
    assert taken(two) == (0, 1)


def test_what_only_a_draining_provider_may_send_waits(two: tuple[SmtpPeer, SmtpPeer]) -> None:
    drain("first")
    message = make_message(preferred_provider="first", failover=False)
    deliver()
    assert taken(two) == (0, 0)
    message.refresh_from_db()
    assert message.state == State.PENDING
    assert message.due_at is not None
    assert message.due_at > timezone.now()


def test_when_all_drain_messages_wait_without_using_up_their_rounds(
    two: tuple[SmtpPeer, SmtpPeer],
) -> None:
    drain("first")
    drain("second")
    make_message()
    deliver()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.rounds, delivery.backoffs) == (State.PENDING, 0, 1)


def test_what_is_in_doubt_at_a_draining_provider_is_brought_to_its_end_there(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(HttpPeer([Answer(500), None], speak=resend))
    configure(settings, {"first": f"anymail-resend://KEY@/?api_url={peer.url}"})
    message = make_message()
    deliver()
    assert Message.objects.get(pk=message.pk).state == State.UNCERTAIN
    drain("first")
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.update(due_at=past)
    Delivery.objects.update(due_at=past)
    deliver()
    assert Message.objects.get(pk=message.pk).state == State.QUEUED
    assert len(peer.requests) == 2


# -- a batch that is under way -----------------------------------------------------------------


@pytest.fixture
def two_threads(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crew of this test's own, of which each provider may hold one thread."""
    settings.LIMBO_THREADS = 2
    monkeypatch.setattr("notifications.delivery.crew._crews", {})


def meanwhile(happens: Callable[[], object]) -> Action:
    """Let something happen while the message comes in, and go on well."""

    def act(_: Line) -> None:
        happens()
        connection.close()

    return Action(act)


def six_messages(
    settings: Settings, peers: ExitStack, happens: Callable[[SmtpPeer], object]
) -> tuple[SmtpPeer, SmtpPeer]:
    """Deliver six through the first of two; as it has the first of them, something happens."""
    second = peers.enter_context(SmtpPeer())
    once = meanwhile(lambda: happens(second))
    first = peers.enter_context(SmtpPeer(on={"body": [once]}))
    ask_first(settings, smtp(first), smtp(second))
    for _ in range(6):
        make_message()
    deliver()
    return first, second


@pytest.mark.usefixtures("two_threads")
def test_what_waits_in_a_worker_goes_elsewhere_once_its_provider_is_off(
    settings: Settings, peers: ExitStack
) -> None:
    def switch(second: SmtpPeer) -> None:
        disable("first")
        # the first one is held until the others have gone past it
        wait_until(lambda: len(second.taken) == 5)

    two = six_messages(settings, peers, switch)
    assert taken(two) == (1, 5)
    assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}


@pytest.mark.usefixtures("two_threads")
def test_what_is_under_way_with_a_draining_provider_ends_there(
    settings: Settings, peers: ExitStack
) -> None:
    two = six_messages(settings, peers, lambda _: drain("first"))
    assert taken(two) == (6, 0)
