"""System checks: no report of a provider is believed that anyone could have sent."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

from notifications.tracking.security import PROTECTIONS, SECRET, is_protected, reporting_esps

_VARIABLES = {SECRET: "LIMBO_TRACKING_SECRET"}
"""The environment variables that are not Anymail's setting with ANYMAIL_ before it."""


@register("limbo")
def check_tracking(**_kwargs: Any) -> list[CheckMessage]:
    """Everything that is wrong with how tracking webhooks are protected."""
    return [*_unprotected(), *_unusable_secrets()]


def _unprotected() -> Iterator[CheckMessage]:
    for esp, name in reporting_esps().items():
        if is_protected(esp):
            continue
        variables = [_variable(setting) for setting in PROTECTIONS[esp].wanted]
        # a machine of one's own gets no reports from outside: there it is enough to say so
        kind = Caution if settings.LIMBO_LOCAL else Error
        yield kind(
            f"Nothing tells the reports of provider {name!r} from forged ones.",
            hint=f"Set {' or '.join(variables)}. Until then its tracking webhook is closed.",
            id="limbo.W030" if settings.LIMBO_LOCAL else "limbo.E030",
        )


def _unusable_secrets() -> Iterator[CheckMessage]:
    if any(not all(secret.partition(":")) for secret in settings.ANYMAIL.get(SECRET, ())):
        yield Error(
            "LIMBO_TRACKING_SECRET is not of the form user:password.",
            hint="Choose both at random. The provider calls https://user:password@…/anymail/…; "
            "several, separated by commas, are all let in while one replaces another.",
            id="limbo.E031",
        )


def _variable(setting: str) -> str:
    return _VARIABLES.get(setting, f"ANYMAIL_{setting}")
