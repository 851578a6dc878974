"""When posts are made: soon after events, and again by a schedule, always as a django-q2 task.

The broker says when events got their positions; a task is queued then, if anyone has an endpoint.
A schedule calls every minute, for the retries, and for a call that was lost. Nothing of this is on
the way of a message.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps as installed
from django.conf import settings
from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django_q.models import Schedule
from django_q.tasks import async_task

from notifications.history.positions import events_sequenced
from notifications.models import WebhookEndpoint
from notifications.webhooks.claim import is_due
from notifications.webhooks.follower import follow_events
from notifications.webhooks.outbound import Outbound
from notifications.webhooks.poster import Poster

TASK = "notifications.webhooks.work.post_events"

_RUN_SECONDS = 15
"""A task begins nothing after this. With the last call's deadline it ends well within 60 s, when
django-q2 would kill it."""

_LOCK = "hashtextextended('limbo_webhooks', 0)"


def post_events() -> None:
    """Queue new events for their endpoints and post what is due; runs as a django-q2 task.

    One at a time does the posting, so that slow endpoints never hold more than one worker. Whoever
    finds another at work may leave: that one looks again after it has let go.
    """
    until = time.monotonic() + _RUN_SECONDS
    follow_events()
    while is_due():
        if time.monotonic() > until:
            async_task(TASK, save=False)
            return
        with _alone() as is_ours:
            if not is_ours:
                return
            outbound = Outbound(allow_private=settings.LIMBO_WEBHOOK_ALLOW_PRIVATE)
            Poster(outbound).run(until=until)
        follow_events()


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else is posting; if so, keep it so. The lock ends with the connection."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_LOCK})")
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({_LOCK})")


@receiver(events_sequenced, dispatch_uid="notifications.webhooks")
def _call(**_kwargs: Any) -> None:
    """Have new events posted soon."""
    if WebhookEndpoint.objects.enabled().exists():
        async_task(TASK, save=False)


@receiver(
    post_migrate,
    sender=installed.get_app_config("django_q"),
    dispatch_uid="notifications.webhooks",
)
def _make_schedule(apps: Any = installed, **_kwargs: Any) -> None:
    """Make the schedule, unless only other applications were migrated so far.

    `flush` sends the same signal without `apps`.
    """
    try:
        apps.get_model("django_q", "Schedule")
    except LookupError:
        return
    Schedule.objects.get_or_create(
        name="Post webhooks",
        defaults={"func": TASK, "schedule_type": Schedule.MINUTES, "minutes": 1},
    )
