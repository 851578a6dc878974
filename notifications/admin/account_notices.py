"""Telling users by mail what staff changed about how they sign in: staff may have been deceived."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django_q.tasks import async_task

from notifications.intake.own_messages import submit_own

TASK = "notifications.admin.account_notices.send_notice"

_LASTS = timedelta(days=1)


def tell(address: str, changes: Sequence[str]) -> None:
    """Have whoever has `address` told of the changes, such as `Your password was changed`.

    Nothing is sent where Limbo sends no messages of its own, or no address is known.
    """
    if settings.LIMBO_SENDER and address:
        when = f"{timezone.now():%d %b %Y, %H:%M:%S} UTC"
        async_task(TASK, address, list(changes), when, save=False)


def send_notice(address: str, changes: Sequence[str], when: str) -> None:
    """Submit the message; runs as a django-q2 task."""
    context = {"changes": changes, "when": when, "site": settings.LIMBO_BASE_URL}
    text = render_to_string("account/email/changed_by_staff.txt", context)
    submit_own(to=address, subject=f"{changes[0]} at Limbo", text=text, lasts=_LASTS)
