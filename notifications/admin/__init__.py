"""Support staff's screens. Django finds them by importing this room."""

from notifications.admin import (
    account,
    api_token,
    background,
    bulk,
    message,
    provider,
    request_log,
    second_factor,
    staff_log,
    suppression,
    webhooks,
)

__all__ = [
    "account",
    "api_token",
    "background",
    "bulk",
    "message",
    "provider",
    "request_log",
    "second_factor",
    "staff_log",
    "suppression",
    "webhooks",
]
