"""Whom a message goes to."""

from notifications.models.ids import Id
from notifications.models.record import record


@record
class Recipient:
    """One delivery's address."""

    delivery_id: Id
    kind: str
    address: str
    name: str
