"""Staff's switches reach workers that run."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import Message, Provider, State, User
from tests.conftest import wait_until
from tests.delivery.two_providers import ALWAYS
from tests.e2e.system import System
from tests.factories import make_message
from tests.peers.smtp_peer import SmtpPeer

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def choose(choice: str, name: str = "first") -> None:
    """Make a superuser's choice about a provider."""
    client = Client()
    client.force_login(
        User.objects.get_or_create(username="root", is_superuser=True, is_staff=True)[0]
    )
    provider = Provider.objects.get(name=name)
    url = reverse("admin:notifications_provider_choose", args=[provider.pk])
    assert client.post(url, {"choice": choice, "why": "a test"}).status_code == 302


def send(count: int) -> None:
    """Accept so many messages, and wait until all are sent."""
    for _ in range(count):
        make_message()
    wait_until(lambda: not Message.objects.exclude(state=State.SENT).exists())


def test_a_running_worker_heeds_every_switch(tmp_path: Path) -> None:
    with SmtpPeer() as first, SmtpPeer() as second:
        urls = [
            f"{name}=smtp://127.0.0.1:{p.port}"
            for name, p in (("first", first), ("second", second))
        ]
        Provider.objects.update_or_create(name="first", defaults={"weight": ALWAYS})
        Provider.objects.update_or_create(name="second", defaults={"weight": 1})
        with System(tmp_path, ",".join(urls)) as system:
            system.start_worker()
            send(1)
            assert (len(first.taken), len(second.taken)) == (1, 0)
            choose("disable")
            send(2)
            assert (len(first.taken), len(second.taken)) == (1, 2)
            choose("enable")
            send(3)
            assert (len(first.taken), len(second.taken)) == (4, 2)
            choose("drain")
            send(4)
            assert (len(first.taken), len(second.taken)) == (4, 6)
