"""Telling users by mail that staff took a second factor away: they may have been deceived."""

from collections.abc import Iterable
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django_q.tasks import async_task

from notifications.intake.own_messages import submit_own
from notifications.models import User

TASK = "notifications.admin.removed_factors.send_notice"

_WHAT = {
    Authenticator.Type.TOTP: "Your authenticator app",
    Authenticator.Type.WEBAUTHN: "A passkey",
    Authenticator.Type.RECOVERY_CODES: "Your recovery codes",
}

_LASTS = timedelta(days=1)


def tell_of_removal(user: User, kinds: Iterable[str]) -> None:
    """Have `user` told of what was removed, where Limbo sends messages and knows an address."""
    if settings.LIMBO_SENDER and user.email:
        what = [words for kind, words in _WHAT.items() if kind in set(kinds)]
        when = f"{timezone.now():%d %b %Y, %H:%M:%S} UTC"
        async_task(TASK, user.email, what, when, save=False)


def send_notice(address: str, what: list[str], when: str) -> None:
    """Submit the message; runs as a django-q2 task."""
    context = {"what": what, "when": when, "site": settings.LIMBO_BASE_URL}
    text = render_to_string("account/email/removed_by_staff.txt", context)
    submit_own(
        to=address, subject="Your second factor was removed at Limbo", text=text, lasts=_LASTS
    )
