"""System checks: the providers can be used as they are configured."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from notifications.delivery.provider_config import find_faults, parse_providers


@register("limbo")
def check_providers(**_kwargs: Any) -> list[CheckMessage]:
    """Everything that is wrong with `LIMBO_PROVIDERS`; no message quotes its secrets."""
    faults = find_faults(settings.LIMBO_PROVIDERS)
    if faults:
        return [Error(fault.problem, hint=fault.hint, id=fault.check) for fault in faults]
    return list(_passwords_in_clear())


def _passwords_in_clear() -> Iterator[CheckMessage]:
    for config in parse_providers(settings.LIMBO_PROVIDERS).values():
        if config.sends_password_in_clear:
            yield checks.Warning(
                f"The password of provider {config.name!r} crosses the network unencrypted.",
                hint="Add starttls=1 to its URL, or use smtps://.",
                id="limbo.W008",
            )
