"""What can go wrong with a webhook endpoint; see notifications.models.errors for the tree."""

from notifications.models.errors import LimboError


class EndpointError(LimboError):
    """What was asked of an endpoint cannot be; the message says why."""


class ForbiddenAddressError(LimboError):
    """The endpoint's name leads to an address that Limbo must not call."""


class SecretLostError(LimboError):
    """An endpoint's secret was sealed by a SECRET_KEY that is no longer known."""
