"""Telling people by mail what was changed about how they sign in: it may not have been they."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django_q.tasks import async_task

from notifications.client_address import client_address
from notifications.intake.own_messages import submit_own
from notifications.models import User
from notifications.web.display import exact

TASK = "notifications.web.sign_in.notices.send_notice"

_WHAT = {
    "account/email/password_changed": "Your password was changed",
    "account/email/password_reset": "You have a new password",
    "mfa/email/recovery_codes_generated": "You have new recovery codes",
    "mfa/email/totp_activated": "An authenticator app was set up",
    "mfa/email/totp_deactivated": "Your authenticator app was removed",
    "mfa/email/webauthn_added": "A passkey was added",
    "mfa/email/webauthn_removed": "A passkey was removed",
}
"""In words, by the names that allauth gives them."""

_LASTS = timedelta(days=1)


def tell(user: User, name: str, request: HttpRequest) -> None:
    """Have `user` told of what happened, where Limbo sends messages and the account has an address.

    A worker sends it: nothing that goes wrong there undoes what the user did.
    """
    if settings.LIMBO_SENDER and user.email and name in _WHAT:
        where = client_address(request) or "an unknown address"
        async_task(TASK, user.email, name, exact(timezone.now()), where, save=False)


def send_notice(address: str, name: str, when: str, where: str) -> None:
    """Submit the message; runs as a django-q2 task."""
    context = {"what": _WHAT[name], "when": when, "where": where, "site": settings.LIMBO_BASE_URL}
    text = render_to_string("account/email/notice.txt", context)
    submit_own(to=address, subject=f"{_WHAT[name]} at Limbo", text=text, lasts=_LASTS)
