"""Whose tracking webhooks are open: those of a configured provider that can be told from a forgery.

Anymail checks each call by a shared secret (HTTP basic authentication), by the provider's own
signature, or by both. From its sources: the settings that its webhook views read.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from notifications.delivery.provider_config import ConfigurationError, parse_providers

SECRET = "WEBHOOK_SECRET"  # noqa: S105 - the name of Anymail's setting
"""Anymail's setting for the shared secret of all providers."""


@dataclass(frozen=True, slots=True)
class Protection:
    """How one provider's calls are told from forgeries."""

    signing_key: str = ""
    """Anymail's setting for the key; empty when the provider does not sign."""
    must_sign: bool = False
    """Whether Anymail's view cannot work without the key."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The settings of which one is enough."""
        if self.must_sign:
            return (self.signing_key,)
        return (SECRET, self.signing_key) if self.signing_key else (SECRET,)


PROTECTIONS: Mapping[str, Protection] = {
    # its notification service signs, but Anymail does not check that
    "amazon_ses": Protection(),
    "brevo": Protection(),
    "mailersend": Protection("MAILERSEND_SIGNING_SECRET", must_sign=True),
    "mailgun": Protection("MAILGUN_WEBHOOK_SIGNING_KEY", must_sign=True),
    "mailjet": Protection(),
    "mailtrap": Protection(),
    "mandrill": Protection("MANDRILL_WEBHOOK_KEY", must_sign=True),
    "postal": Protection("POSTAL_WEBHOOK_KEY", must_sign=True),
    "postmark": Protection(),
    # it signs too, but Anymail needs a further library to check that
    "resend": Protection(),
    "sendgrid": Protection("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY"),
    "sparkpost": Protection(),
    # signed by its API key
    "unisender_go": Protection("UNISENDER_GO_API_KEY", must_sign=True),
}
"""By Anymail's name of the provider; one that is absent here reports nothing."""


def reporting_esps() -> dict[str, str]:
    """The configured providers that have tracking webhooks, by Anymail's name of their service.

    The value is the name that the operator gave one of them. Empty while the configuration cannot
    be read.
    """
    try:
        configs = parse_providers(settings.LIMBO_PROVIDERS)
    except ConfigurationError:
        return {}
    return {
        config.esp.backend: config.name
        for config in configs.values()
        if config.esp is not None and config.esp.backend in PROTECTIONS
    }


def is_protected(esp: str) -> bool:
    """Whether a forged call of the provider's webhook would be refused."""
    return any(settings.ANYMAIL.get(name) for name in PROTECTIONS[esp].wanted)


def is_open(esp: str) -> bool:
    """Whether the provider's webhook is served at all."""
    return esp in reporting_esps() and is_protected(esp)
