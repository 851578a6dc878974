"""The follower: turns events into posts for the endpoints that want them.

It reads by position alone, whose order has no gaps and is never changed afterwards. The posts and
the new position are stored in one transaction, so an event is neither missed nor queued twice.
"""

from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max
from django.db.models.functions import Least

from notifications.models import EventPosition, WebhookDelivery, WebhookEndpoint

_LIMIT = 1000
"""Positions that one endpoint is taken on in one transaction."""

# an event that was kept as not applied changed nothing, so there is nothing to tell
_WANTED = """
SELECT e.id, p.event_id
FROM notifications_webhookendpoint e
JOIN notifications_eventposition p
    ON p.position > e.position AND p.position <= least(e.position + %(limit)s, %(last)s)
JOIN notifications_event ev ON ev.id = p.event_id
JOIN notifications_message m ON m.id = ev.message_id
WHERE e.id = ANY(%(ids)s) AND m.owner_id = e.owner_id
    AND ev.applied AND (e.kinds = '{}' OR ev.kind = ANY(e.kinds))
ORDER BY p.position
"""


def follow_events() -> int:
    """Queue the new events for all enabled endpoints; returns how many posts were queued.

    Events without a position yet are for the next time. Runs outside any transaction.
    """
    queued, goes_on = 0, True
    while goes_on:
        with transaction.atomic():
            behind, last = _lock_behind()
            goes_on = bool(behind)
            if behind:
                queued += len(_queue(behind, last))
    return queued


def _lock_behind() -> tuple[list[UUID], int]:
    """The endpoints that have not read everything, and where everything ends."""
    last = EventPosition.objects.aggregate(last=Max("position"))["last"] or 0
    behind = (
        WebhookEndpoint.objects.enabled()
        .filter(position__lt=last)
        .order_by("id")
        # another follower, or staff's form, has the others: they are its business
        .select_for_update(skip_locked=True, no_key=True)
    )
    return [endpoint.id for endpoint in behind], last


def _queue(endpoint_ids: list[UUID], last: int) -> list[WebhookDelivery]:
    with connection.cursor() as cursor:
        cursor.execute(_WANTED, {"ids": endpoint_ids, "limit": _LIMIT, "last": last})
        posts = [
            WebhookDelivery(endpoint_id=endpoint_id, event_id=event_id)
            for endpoint_id, event_id in cursor.fetchall()
        ]
    WebhookDelivery.objects.bulk_create(posts)
    WebhookEndpoint.objects.filter(id__in=endpoint_ids).update(
        position=Least(F("position") + _LIMIT, last)
    )
    return posts
