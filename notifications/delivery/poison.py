"""Poison: messages whose worker dies again and again while it has them."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import F

from notifications.history.changes import Change, change_deliveries
from notifications.models import Delivery, Message
from notifications.models.state import State

POISON_DEATHS = 3
"""With so many deaths a message is not tried again; from the first one on it is claimed alone."""

_AFTER = {State.PENDING: State.DEAD, State.UNCERTAIN: State.UNCERTAIN}
"""Where poison ends; a delivery in doubt could still have been sent."""


def count_deaths(message_ids: Iterable[UUID]) -> None:
    """Count a worker's death against those of `message_ids` that would be tried again.

    What has caused too many becomes `dead`; what is in doubt stays `uncertain`, and is repeated no
    more. The messages must be locked by `lock_messages` in this transaction.
    """
    due = Delivery.objects.filter(message__in=message_ids, due_at__isnull=False)
    suspects = set(due.values_list("message_id", flat=True))
    Message.objects.filter(id__in=suspects).update(deaths=F("deaths") + 1)
    poisonous = due.filter(message__deaths__gte=POISON_DEATHS, state__in=_AFTER)
    change_deliveries(
        [
            Change(delivery.id, _AFTER[State(delivery.state)], data={"reason": "poison"})
            for delivery in poisonous
        ],
        before=_AFTER,
    )
