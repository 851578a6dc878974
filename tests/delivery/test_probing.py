"""A provider whose breaker's time is over: one hand-off goes to it, and decides for all."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from notifications.delivery import breaker
from notifications.delivery.routes import Routes
from notifications.delivery.routing import usable_routes
from notifications.models import Delivery, Provider, State
from tests.delivery.two_providers import ALWAYS, ask_first, closed_port, configure, deliver, smtp
from tests.factories import make_message
from tests.peers.smtp_peer import SmtpPeer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has only the rows to know the providers by."""
    monkeypatch.setattr(breaker, "_known", {})


def wants_a_probe() -> None:
    """Let the first provider's breaker have been open, and its time be over."""
    past = Now() - timedelta(seconds=1)
    Provider.objects.filter(name="first").update(breaker_until=past, breaker_seconds=30)


def first() -> Provider:
    """The first provider's row."""
    return Provider.objects.get(name="first")


def test_of_a_batch_one_message_is_the_probe_and_the_others_wait_for_it(
    settings: Settings,
) -> None:
    with SmtpPeer() as peer:
        configure(settings, {"first": smtp(peer)})
        wants_a_probe()
        for _ in range(5):
            make_message()
        deliver()
        assert len(peer.taken) == 1
        assert Delivery.objects.filter(state=State.PENDING, backoffs=1).count() == 4
        assert (first().breaker_until, first().probe_until) == (None, None)


def test_a_probe_that_fails_costs_its_message_nothing(settings: Settings) -> None:
    with SmtpPeer() as second:
        away, works = f"smtp://127.0.0.1:{closed_port()}", smtp(second)
        ask_first(settings, away, works)
        wants_a_probe()
        for _ in range(5):
            make_message()
        deliver()
        assert len(second.taken) == 5
    assert (first().breaker_seconds, first().probe_until) == (60, None)


def test_a_probe_that_no_message_was_chosen_for_is_left_to_others(settings: Settings) -> None:
    with SmtpPeer() as peer, SmtpPeer() as second:
        urls = {
            "first": smtp(peer),
            "second": smtp(second),
        }
        configure(settings, urls)
        Provider.objects.filter(name="second").update(weight=ALWAYS)
        wants_a_probe()
        make_message()
        deliver()
        assert (len(peer.taken), len(second.taken)) == (0, 1)
    assert first().probe_until is None
    assert first().breaker_until is not None


def test_choosing_a_provider_locks_no_row(settings: Settings) -> None:
    """A transaction that chooses may wait for long; all other workers need the provider's row."""
    configure(settings, {"first": "smtp://127.0.0.1:1"})
    wants_a_probe()
    routes = Routes(usable_routes())
    routes.take_probes()
    with transaction.atomic():
        chosen = routes.choose(tried=frozenset(), partial=False)
        assert chosen is not None
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NULL")
            assert cursor.fetchone() == (True,)
