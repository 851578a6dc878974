"""The provider that a sender prefers is asked first, or alone."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django import Settings

from notifications.models import Delivery, Handoff, Message, Provider, State
from notifications.queue.choices import requeue
from tests.delivery.two_providers import ask_first, closed_port, configure, deliver, smtp
from tests.factories import SuppressionFactory, UserFactory, make_message
from tests.peers.actions import reply
from tests.peers.http_peer import Answer, HttpPeer
from tests.peers.smtp_peer import SmtpPeer
from tests.stories import moved

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    """Where a test keeps its peers open."""
    with ExitStack() as stack:
        yield stack


def asked() -> list[str]:
    """The providers that were asked, in that order."""
    return list(Handoff.objects.order_by("id").values_list("provider__name", flat=True))


def state_of(message: Message) -> tuple[str, bool]:
    """The message's state, and whether it is due again."""
    message.refresh_from_db()
    return message.state, message.due_at is not None


def test_the_preferred_provider_is_asked_first_whatever_the_weights(
    settings: Settings, peers: ExitStack
) -> None:
    first, second = (peers.enter_context(SmtpPeer()) for _ in range(2))
    ask_first(settings, smtp(first), smtp(second))
    for _ in range(5):
        make_message(preferred_provider="second")
    deliver()
    assert (len(first.taken), len(second.taken)) == (0, 5)


def test_a_requeue_goes_through_the_provider_that_was_chosen_for_it(
    settings: Settings, peers: ExitStack
) -> None:
    refusing, taking = SmtpPeer(on={"mail": reply("550 5.7.1 not here")}), SmtpPeer()
    urls = [smtp(peers.enter_context(peer)) for peer in (refusing, taking)]
    configure(settings, {"first": urls[0], "second": urls[1]})
    message = make_message(preferred_provider="first", failover=False)
    deliver()
    assert state_of(message) == ("failed", False)
    requeue([message.id], by=UserFactory(), reason="ask another", through="second")
    deliver()
    assert state_of(message) == ("sent", False)
    assert asked() == ["first", "second"]


def test_recipients_of_a_message_may_have_been_requeued_through_different_providers(
    settings: Settings, peers: ExitStack
) -> None:
    first, second = (peers.enter_context(SmtpPeer()) for _ in range(2))
    configure(settings, {"first": smtp(first), "second": smtp(second)})
    message = make_message("a@example.org", "b@example.org")
    for delivery, through in zip(
        message.deliveries.order_by("position"), ("first", "second"), strict=True
    ):
        moved(delivery, State.DEAD)
        requeue([message.id], by=UserFactory(), reason="one by one", through=through)
    deliver()
    assert state_of(message) == ("sent", False)
    assert [taken.recipients for taken in first.taken] == [("a@example.org",)]
    assert [taken.recipients for taken in second.taken] == [("b@example.org",)]


def test_who_is_suppressed_after_a_provider_took_the_message_stays_in_its_headers(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    message = make_message("a@example.org", "b@example.org", "c@example.org")
    _, second, third = message.deliveries.order_by("position")
    for later in (second, third):
        moved(later, State.DEAD)
    deliver()
    SuppressionFactory(owner=message.owner, address="b@example.org")
    requeue([message.id], by=UserFactory(), reason="the rest")
    deliver()
    assert [taken.recipients for taken in peer.taken] == [("a@example.org",), ("c@example.org",)]
    assert [taken.message["To"] for taken in peer.taken] == [
        "a@example.org, b@example.org, c@example.org"
    ] * 2


@pytest.mark.parametrize("failing", ["unreachable", "off"])
def test_where_it_cannot_take_the_message_another_does(
    settings: Settings, peers: ExitStack, failing: str
) -> None:
    first, second = (peers.enter_context(SmtpPeer()) for _ in range(2))
    gone = f"smtp://127.0.0.1:{closed_port()}"
    ask_first(settings, smtp(first), gone if failing == "unreachable" else smtp(second))
    Provider.objects.filter(name="second").update(enabled=failing != "off")
    message = make_message(preferred_provider="second")
    deliver()
    assert state_of(message) == ("sent", False)
    assert len(first.taken) == 1


@pytest.mark.parametrize(
    "failing", ["unreachable", "temporary", "refusing", "off", "not configured any more"]
)
def test_without_failover_no_other_provider_is_ever_asked(
    settings: Settings, peers: ExitStack, failing: str
) -> None:
    other = peers.enter_context(SmtpPeer())
    replies = {
        "temporary": reply("451 4.3.0 later"),
        "refusing": reply("550 5.7.1 not your domain"),
    }
    on = {"mail": replies[failing]} if failing in replies else {}
    preferred = smtp(peers.enter_context(SmtpPeer(on=on)))
    if failing == "unreachable":
        preferred = f"smtp://127.0.0.1:{closed_port()}"
    ask_first(settings, smtp(other), preferred)
    Provider.objects.filter(name="second").update(enabled=failing != "off")
    if failing == "not configured any more":
        configure(settings, {"first": smtp(other)})
    message = make_message(preferred_provider="second", failover=False)
    deliver()
    assert other.taken == []
    assert "first" not in asked()
    assert state_of(message) == (("failed", False) if failing == "refusing" else ("pending", True))


def test_a_wait_for_the_only_provider_is_no_failure_where_others_take_no_part_of_a_message(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(HttpPeer(Answer(429)))
    other = peers.enter_context(HttpPeer())
    urls = {
        name: f"anymail-postmark://KEY@/?api_url={http.url}"
        for name, http in (("first", other), ("second", peer))
    }
    configure(settings, urls)
    Provider.objects.filter(name="second").update(enabled=False)
    make_message("a@example.org", preferred_provider="second", failover=False)
    deliver()
    assert (Delivery.objects.get().state, other.requests) == ("pending", [])
