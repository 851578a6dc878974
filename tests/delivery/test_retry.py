"""When a message is tried again: waits that grow, with full jitter, up to its deadline."""

import statistics
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from notifications.delivery import breaker
from notifications.delivery.retry import next_delay
from notifications.models import Delivery, Message, Provider, State
from tests.delivery.two_providers import closed_port, configure, deliver, smtp
from tests.factories import make_message
from tests.peers.actions import reply
from tests.peers.http_peer import Answer, HttpPeer
from tests.peers.smtp_peer import SmtpPeer

MINUTE, HOUR = 60, 3600
BOUNDS = [30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR]


@given(st.integers(min_value=0, max_value=32_767))
def test_no_wait_is_longer_than_its_bound_and_the_last_bound_repeats(backoffs: int) -> None:
    assert 0 <= next_delay(backoffs) <= BOUNDS[min(backoffs, 6)]


@pytest.mark.parametrize(("backoffs", "bound"), list(enumerate([*BOUNDS, 4 * HOUR])))
def test_waits_are_spread_evenly_from_nothing_to_the_bound(backoffs: int, bound: int) -> None:
    waits = [next_delay(backoffs) / bound for _ in range(2000)]
    assert min(waits) < 0.05
    assert max(waits) > 0.95
    assert statistics.mean(waits) == pytest.approx(0.5, abs=0.05)


@pytest.fixture
def limited(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """One round is all that a message has."""
    monkeypatch.setattr(breaker, "_known", {})
    settings.LIMBO_MAX_ROUNDS = 1
    return settings


@pytest.fixture
def peer() -> Iterator[SmtpPeer]:
    """A provider that has no time now."""
    with SmtpPeer(on={"mail": reply("451 4.3.0 later")}) as busy:
        yield busy


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"enabled": False}, id="off"),
        pytest.param({"closed_until": timezone.now() + timedelta(hours=1)}, id="closed"),
        pytest.param({"breaker_until": timezone.now() + timedelta(hours=1)}, id="breaker open"),
        pytest.param(
            {
                "breaker_until": timezone.now() - timedelta(hours=1),
                "probe_until": timezone.now() + timedelta(hours=1),
            },
            id="being probed",
        ),
    ],
)
def test_a_round_in_which_no_provider_may_be_asked_does_not_count(
    limited: Settings, peer: SmtpPeer, fields: dict[str, object]
) -> None:
    configure(limited, {"first": smtp(peer)})
    Provider.objects.update(**fields)
    assert waits_uncounted(make_message())
    assert peer.commands == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [401, 402, 429])
def test_a_round_in_which_the_only_one_closes_or_is_switched_off_does_not_count(
    limited: Settings, status: int
) -> None:
    with HttpPeer(Answer(status)) as http:
        configure(limited, {"first": f"anymail-postmark://KEY@/?api_url={http.url}"})
        assert waits_uncounted(make_message())


@pytest.mark.django_db(transaction=True)
def test_a_round_counts_when_one_of_them_was_asked(limited: Settings, peer: SmtpPeer) -> None:
    away, busy = f"smtp://127.0.0.1:{closed_port()}", smtp(peer)
    configure(limited, {"first": away, "second": busy})
    message = make_message()
    deliver()
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.rounds) == (State.DEAD, 1)


@pytest.mark.django_db(transaction=True)
def test_the_last_wait_ends_at_the_deadline(settings: Settings, peer: SmtpPeer) -> None:
    configure(settings, {"first": smtp(peer)})
    soon = timezone.now() + timedelta(seconds=30)
    for _ in range(20):
        make_message(expires_at=soon)
    Delivery.objects.update(backoffs=6)
    deliver()
    # of twenty waits of up to four hours hardly one ends within the half minute that is left
    assert Delivery.objects.filter(due_at=soon).count() > 15
    assert not Delivery.objects.filter(Q(due_at__gt=soon) | Q(due_at=None)).exists()


def waits_uncounted(message: Message) -> bool:
    """Deliver it; whether it waits, as if nothing had been tried."""
    deliver()
    delivery = message.deliveries.get()
    return (delivery.state, delivery.rounds, delivery.backoffs) == (State.PENDING, 0, 1)
