"""Whose the made-up messages are, and through which providers they went."""

from limbo.local.demo_data.telling import Way
from limbo.local.demo_data.words import BUSINESSES
from limbo.local.errors import RunError
from notifications.models import Message, Provider, User, WebhookEndpoint

_WAYS = (("postmark", True), ("ses", True), ("relay", False))


def refuse_used(*, add: bool) -> None:
    """Raise RunError where made-up messages would be in the way, or told to somebody."""
    if not add and Message.objects.exists():
        raise RunError("this database holds messages already; ADD=1 adds the made-up ones to them")
    names = [business.username for business in BUSINESSES]
    endpoint = WebhookEndpoint.objects.enabled().filter(owner__username__in=names).first()
    if endpoint is not None:
        raise RunError(
            f"{endpoint.owner.username} has a webhook endpoint, {endpoint.url}, which would be "
            "told of everything; disable it first"
        )


def ensure_owners() -> dict[str, int]:
    """The users' ids by their names; who is new cannot sign in."""
    owners = {}
    for business in BUSINESSES:
        user, is_new = User.objects.get_or_create(username=business.username)
        if is_new:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        owners[user.username] = user.pk
    return owners


def ensure_providers() -> tuple[Way, ...]:
    """The providers that the messages went through."""
    ways = []
    for name, is_http in _WAYS:
        provider, _ = Provider.objects.get_or_create(name=name)
        ways.append(Way(provider.pk, name, is_http))
    return tuple(ways)
