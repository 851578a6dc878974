"""How a provider stands, in words."""

from datetime import datetime
from typing import TypeGuard

from django.conf import settings
from django.utils import timezone

from notifications.delivery.provider_config import parse_providers
from notifications.history.lead import clock
from notifications.models import Provider


def is_configured(provider: Provider) -> bool:
    """Whether the setting names it."""
    return provider.name in parse_providers(settings.LIMBO_PROVIDERS)


def takes_new(provider: Provider) -> bool:
    """Whether staff and configuration let messages go to it, even if it must wait for a while."""
    return (
        is_configured(provider)
        and provider.enabled
        and not provider.fault
        and not provider.is_draining
    )


def is_closed(provider: Provider) -> bool:
    """Whether it asked us to wait, or its breaker is not closed."""
    return _is_to_come(provider.closed_until) or provider.breaker_until is not None


def standing(provider: Provider) -> tuple[str, str]:
    """How a provider stands, in words, and the tone to show it in."""
    if not is_configured(provider):
        return "not configured", "quiet"
    if provider.fault:
        return "off: refused our credentials", "bad"
    if not provider.enabled:
        return "off", "quiet"
    if provider.is_draining:
        return "drains", "doubt"
    if _is_to_come(provider.closed_until):
        return "closed for a while", "doubt"
    if _is_to_come(provider.breaker_until):
        return "left alone for a while", "doubt"
    if provider.breaker_until:
        return "waits for its probe", "doubt"
    return "in use", "good"


def why(provider: Provider) -> str:
    """Why a provider stands as it does; empty when there is nothing to explain."""
    if provider.fault:
        return provider.fault
    if provider.enabled and provider.is_draining:
        return "It is given nothing new; what is under way with it comes to its end."
    if _is_to_come(provider.closed_until):
        return f"It asked us to wait until {clock(provider.closed_until, now=timezone.now())}."
    if _is_to_come(provider.breaker_until):
        until = clock(provider.breaker_until, now=timezone.now())
        return f"Open until {until}: {provider.breaker_reason}"
    if provider.breaker_until:
        return f"The next hand-off decides: {provider.breaker_reason}"
    return ""


def _is_to_come(at: datetime | None) -> TypeGuard[datetime]:
    return at is not None and at > timezone.now()
