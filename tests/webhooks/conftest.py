"""An endpoint that takes everything, and what arrives there."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook

from notifications.history.positions import sequence_events
from notifications.models import User, WebhookEndpoint
from notifications.webhooks.endpoints import create_endpoint
from notifications.webhooks.work import post_events
from tests.factories import UserFactory
from tests.peers.http_peer import Answer, HttpPeer, HttpRequest


@pytest.fixture(autouse=True)
def on_this_machine(settings: Settings, db: None) -> None:
    """The endpoints of these tests listen on loopback."""
    settings.LIMBO_WEBHOOK_ALLOW_PRIVATE = True


@pytest.fixture
def owner() -> User:
    """Whose events are told."""
    user: User = UserFactory()
    return user


@pytest.fixture
def taker() -> Iterator[HttpPeer]:
    """A server that takes every post."""
    with HttpPeer(speak=lambda _: Answer(204, "")) as peer:
        yield peer


Made = tuple[WebhookEndpoint, str]


@pytest.fixture
def endpoint(owner: User, taker: HttpPeer) -> Made:
    """The owner's endpoint for all events at `taker`, and its secret."""
    return create_endpoint(owner=owner, url=f"{taker.url}hook", kinds=[])


def run() -> None:
    """What the broker does in its tick, and then the task that it calls."""
    sequence_events()
    post_events()


def verified(request: HttpRequest, secret: str) -> dict[str, Any]:
    """The payload, after its receiver's library has found the signature to be right."""
    payload: dict[str, Any] = Webhook(secret).verify(request.body, request.headers)
    return payload


Types = Callable[[HttpPeer], list[str]]


def types(peer: HttpPeer) -> list[str]:
    """The types of all that arrived at `peer`, in order of arrival."""
    return [str(request.json["type"]) for request in peer.requests]
