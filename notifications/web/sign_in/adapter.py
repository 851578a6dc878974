"""What django-allauth asks of a project: who may have an account, who is asking, what is said."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest
from django.urls import reverse

from notifications.client_address import client_address
from notifications.models import User
from notifications.web.sign_in.notices import tell

_UNSAID = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")
"""Where one is says it already; so it does after a new password, for who has not signed in."""

_WAYS = {
    "reauthenticate": "By your password",
    "mfa_reauthenticate": "By a code",
    "mfa_reauthenticate:webauthn": "By a passkey",
}


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

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Where one is led after a new password."""
        return reverse("mfa_index")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether one must confirm who one is: not soon after signing in, or confirming it."""
        user = self.request.user
        must_be_strong = is_mfa_enabled(user)
        times = [
            float(record["at"])
            for record in get_authentication_records(self.request, user)
            if record["method"] == "mfa" or not must_be_strong
        ]
        age = time.time() - max(times, default=0.0)
        return bool(age > app_settings.REAUTHENTICATION_TIMEOUT)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """The ways to confirm who one is: not by the password where there is a second factor.

        Else a stolen password would do to add another, and with it to enter the admin.
        """
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        strong = [way for way in ways if way["id"].startswith("mfa_reauthenticate")]
        return [{**way, "description": _WAYS[way["id"]]} for way in strong or ways]

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By which wrong passwords are counted: together, whichever host they were given at."""
        return str(credentials.get("username", "")).lower()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Say so where axes has locked this user out at this address."""
        if getattr(request, "axes_locked_out", False):
            raise self.validation_error("too_many_login_attempts")

    def send_notification_mail(
        self, template_prefix: str, user: User, *args: Any, **kwargs: Any
    ) -> None:
        """Tell the user by mail of what was changed."""
        tell(user, template_prefix, self.request)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Keep what the next page shall say."""
        is_seen = request.user.is_authenticated or not message_template
        if is_seen and message_template not in _UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)


def name_of(user: User) -> str:
    """How a user is called on pages."""
    return user.get_username()
