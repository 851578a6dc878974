"""`provider`, `failover` and `on_uncertain`: which way out, and what to do in doubt."""

from django.conf import settings

from notifications.delivery.provider_config import parse_providers
from notifications.intake.reader import Reader
from notifications.models import OnUncertain


def read_provider(reader: Reader, pointer: str, value: object) -> str | None:
    """The name of a provider that is configured."""
    if not isinstance(value, str):
        reader.refuse(pointer, "This must be a string.", "type")
        return None
    known = parse_providers(settings.LIMBO_PROVIDERS)
    if value not in known:
        told = f"There is no such provider; there are {', '.join(known)}."
        reader.hinder(pointer, told, "unknown_provider")
        return None
    return value


def read_failover(reader: Reader, pointer: str, value: object) -> bool | None:
    """Whether another provider may be asked in place of the preferred one."""
    if not isinstance(value, bool):
        reader.refuse(pointer, "This must be true or false.", "type")
        return None
    return value


def read_on_uncertain(reader: Reader, pointer: str, value: object) -> OnUncertain | None:
    """What to do when nobody knows whether a provider took the message."""
    chosen = reader.choice(pointer, value, OnUncertain.values)
    return None if chosen is None else OnUncertain(chosen)
