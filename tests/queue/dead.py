"""Many dead letters, made fast."""

from uuid import UUID

from django.db import transaction

from notifications.history.changes import Change, change_deliveries, lock_messages
from notifications.models import Delivery, Message, State, User
from tests.queue.line import become_due


def dead_letters(owner: User, count: int) -> list[UUID]:
    """The ids of as many messages of `owner`, each given up for its one recipient."""
    become_due(owner, count)
    ids = list(Message.objects.filter(owner=owner).values_list("id", flat=True))
    with transaction.atomic():
        lock_messages(ids)
        deliveries = Delivery.objects.filter(message__in=ids).values_list("id", flat=True)
        change_deliveries(
            [Change(id_, State.DEAD, data={"reason": "deadline"}) for id_ in deliveries],
            before=(State.PENDING,),
        )
    return ids
