"""What django-allauth asks of a project: who may have an account, who is asking, what is said."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from notifications.client_address import client_address
from notifications.models import User

_UNSAID = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")
"""Where one is says it already."""


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by staff, and wrong passwords are counted by django-axes."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": "This code is wrong, or was used before.",
        "incorrect_password": "This is not your password.",
        "too_many_login_attempts": (
            "Too many wrong passwords or codes. Wait a quarter of an hour, then try again."
        ),
        "username_password_mismatch": "The user name or the password is wrong.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account of their own."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits are counted by; behind a Unix socket all clients share one."""
        return client_address(request) or "unknown"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Say so where axes has locked this user out at this address."""
        if getattr(request, "axes_locked_out", False):
            raise self.validation_error("too_many_login_attempts")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Keep what the next page shall say."""
        if message_template not in _UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)


def name_of(user: User) -> str:
    """How a user is called on pages."""
    return user.get_username()
