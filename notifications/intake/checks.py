"""System checks of what intake needs."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from notifications.intake.addresses import AddressError, read_mailbox


@register("limbo")
def check_sender(**_kwargs: Any) -> list[CheckMessage]:
    """Limbo's own messages have a sender that can be read, or there are none."""
    if not settings.LIMBO_SENDER:
        return []
    try:
        read_mailbox(settings.LIMBO_SENDER)
    except AddressError as error:
        return [
            Error(
                f"LIMBO_SENDER is no sender: {error}",
                hint="Set it to an address that your providers send for, such as "
                "`Limbo <limbo@example.com>`, or unset it.",
                id="limbo.E040",
            )
        ]
    return []
