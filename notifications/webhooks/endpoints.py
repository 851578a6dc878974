"""Making and keeping endpoints."""

from collections.abc import Collection

import httpx
from django.conf import settings
from django.db.models import Max

from notifications.models import EventPosition, State, User, WebhookEndpoint
from notifications.webhooks.errors import EndpointError
from notifications.webhooks.secret import new_secret, seal

MESSAGE_KINDS = ("accepted", "retried")
"""The kinds of events that are about a whole message; all others are a delivery's states."""

EVENT_TYPES = {
    **{kind: f"message.{kind}" for kind in MESSAGE_KINDS},
    **{state.value: f"delivery.{state.value}" for state in State},
}
"""The `type` of a payload, by the event's kind."""


def create_endpoint(
    *, owner: User, url: str, kinds: Collection[str]
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint for events from now on; returns it and its secret, which is shown once.

    `kinds` are keys of `EVENT_TYPES`; none means all. Raises EndpointError for an unusable `url`.
    """
    check_url(url)
    secret = new_secret()
    last = EventPosition.objects.aggregate(last=Max("position"))["last"]
    endpoint = WebhookEndpoint.objects.create(
        owner=owner,
        url=url,
        sealed_secret=seal(secret),
        kinds=sorted(kinds),
        position=last or 0,
    )
    return endpoint, secret


def check_url(url: str) -> None:
    """Raise EndpointError unless `url` is one that Limbo would call.

    Where its name leads is looked at when it is called: today's answer says nothing of tomorrow's.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise EndpointError(f"This is not a URL: {error}") from error
    allowed = ("https", "http") if settings.LIMBO_LOCAL else ("https",)
    if parsed.scheme not in allowed or not parsed.host:
        raise EndpointError("A webhook's URL begins with https:// and the name of a host.")
    if parsed.userinfo or parsed.fragment:
        raise EndpointError("A webhook's URL has no user, password or fragment.")


def enable(endpoint: WebhookEndpoint) -> None:
    """Go on with it where it stopped: it gets what happened meanwhile too."""
    WebhookEndpoint.objects.filter(id=endpoint.id).update(
        enabled=True, disabled_reason="", failing_since=None, paused_until=None
    )


def disable(endpoint: WebhookEndpoint, *, reason: str) -> None:
    """Give it nothing more until it is enabled again; `reason` is shown to people."""
    WebhookEndpoint.objects.filter(id=endpoint.id).update(enabled=False, disabled_reason=reason)
