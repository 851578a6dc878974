"""The ways out: what is configured, the row that staff may change, and how one is opened."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Greatest, Now

from notifications.delivery.handoff import Transport
from notifications.delivery.provider_config import (
    SANDBOX,
    ConfigurationError,
    ProviderConfig,
    parse_providers,
)
from notifications.delivery.transports.amazon_ses import AmazonSesTransport
from notifications.delivery.transports.anymail import AnymailTransport
from notifications.delivery.transports.sandbox import SandboxTransport
from notifications.delivery.transports.smtp import SmtpTransport
from notifications.models import Provider

__all__ = [
    "ConfigurationError",
    "ProviderConfig",
    "close_provider",
    "configured_providers",
    "open_transport",
    "switch_off",
    "sync_rows",
]

logger = logging.getLogger(__name__)

LONGEST_CLOSURE_SECONDS = 24 * 60 * 60
"""However long a provider asks us to wait, it is asked again after a day."""


def configured_providers() -> Mapping[str, ProviderConfig]:
    """The providers of `LIMBO_PROVIDERS`, by name, in its order.

    Raises ConfigurationError when the setting cannot be used.
    """
    return parse_providers(settings.LIMBO_PROVIDERS)


def sync_rows() -> None:
    """Make the row of each configured provider that has none; change no other."""
    Provider.objects.bulk_create(
        [
            Provider(name=config.name, weight=config.weight)
            for config in configured_providers().values()
        ],
        ignore_conflicts=True,
    )


def switch_off(name: str, *, fault: str) -> None:
    """Take provider `name` out of use until staff enable it again, because of `fault`.

    For a refusal of our credentials, which no waiting mends. The first call logs an error; the
    rest of a batch that met the same refusal adds nothing.
    """
    switched = Provider.objects.filter(name=name, fault="").update(enabled=False, fault=fault)
    if switched:
        logger.error(
            "Provider %s is switched off: %s Mend its credentials in LIMBO_PROVIDERS, "
            "restart, and enable it in the admin.",
            name,
            fault,
        )


def close_provider(name: str, *, seconds: float) -> None:
    """Send nothing through provider `name` for `seconds`; a longer wait already set stays."""
    wait = timedelta(seconds=min(max(seconds, 0), LONGEST_CLOSURE_SECONDS))
    until = Now() + Value(wait)
    # GREATEST ignores NULL in PostgreSQL: an open provider takes the new time
    closed = Provider.objects.filter(name=name).update(
        closed_until=Greatest(F("closed_until"), until)
    )
    if closed:
        logger.warning(
            "Provider %s asks us to wait: closed for %.0f s.", name, wait.total_seconds()
        )


def open_transport(config: ProviderConfig) -> Transport:
    """A transport to the provider; it connects when it is first used, and serves one thread."""
    if config.name == SANDBOX:
        return SandboxTransport()
    if config.esp is None:
        return SmtpTransport(config)
    kind = AmazonSesTransport if config.esp.backend == "amazon_ses" else AnymailTransport
    return kind(config, config.esp)
