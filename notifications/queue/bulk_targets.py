"""Which messages a bulk action was for: kept while it works, and for a while after its end."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Now

from notifications.models import BulkAction

KEPT = timedelta(days=30)
"""So long after an action's end one sees which of its messages were not done."""

_LIMIT = 2_000
"""Targets removed in one call: messages wait meanwhile."""


def remove_old_targets(*, limit: int = _LIMIT) -> int:
    """Remove targets of one action that ended long ago; returns how many.

    The action stays, with its numbers. Of a large one some are left for the next call.
    """
    old = BulkAction.objects.filter(
        ended_at__lt=Now() - Value(KEPT), targets_removed_at__isnull=True
    )
    with transaction.atomic():
        free = old.order_by("ended_at").select_for_update(skip_locked=True, no_key=True)
        action = free.first()
        if action is None:
            return 0
        some = action.targets.order_by("message_id").values("message_id")[:limit]
        removed, _ = action.targets.filter(message_id__in=some).delete()
        if removed < limit:
            old.filter(pk=action.pk).update(targets_removed_at=Now())
    return removed
