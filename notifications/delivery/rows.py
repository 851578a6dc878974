"""The rows of a claimed batch, as its queries bring them.

Model instances of the same rows took a quarter of a worker's time.
"""

from collections.abc import Sequence
from itertools import starmap
from typing import Any

from notifications.delivery.recipient import Recipient
from notifications.history.arrays import id_array
from notifications.models.ids import Id
from notifications.models.prepared import prepared_cursor
from notifications.models.record import record

# Contents are asked for by the ids as well, and so found in one walk over their index. `extract`
# would reckon the time as numeric first.
_MESSAGES = """
SELECT m.id::text, m.header_message_id, m.sender, m.sender_address, m.subject,
    date_part('epoch', m.accepted_at), m.expires_at <= now(),
    m.preferred_provider, m.failover, m.is_test,
    m.reply_to, m.headers, m.tags, m.metadata, c.text, c.html, c.attached_octets
FROM notifications_message m JOIN notifications_content c ON c.message_id = m.id
WHERE m.id = ANY(%(ids)s::uuid[]) AND c.message_id = ANY(%(ids)s::uuid[])
ORDER BY m.id
"""

# Whom the headers name is the same on every attempt: all but those whose address was suppressed
# before any provider may have taken the message.
_DELIVERIES = """
SELECT d.id::text, d.kind, d.address, d.name, d.message_id::text, d.through, d.rounds, d.backoffs,
    d.state = 'pending' AND d.due_at <= now(),
    d.state = 'uncertain' AND d.due_at IS NOT NULL AND d.due_at <= now()
FROM notifications_delivery d
WHERE d.message_id = ANY(%(ids)s::uuid[]) AND (d.state <> 'suppressed' OR EXISTS (
    SELECT 1 FROM notifications_delivery other
    JOIN notifications_attempt a ON a.delivery_id = other.id
    JOIN notifications_handoff h ON h.id = a.handoff_id
    WHERE other.message_id = d.message_id AND h.started_at < d.finalized_at
        AND h.outcome IN ('in_flight', 'accepted', 'uncertain')
))
ORDER BY d.id
"""

_ATTEMPTED = """
SELECT id::text FROM notifications_delivery d
WHERE message_id = ANY(%(ids)s::uuid[]) AND EXISTS (
    SELECT 1 FROM notifications_attempt WHERE delivery_id = d.id AND generation = d.generation
)
"""


@record
class MessageRow:
    """A message with its content."""

    id: Id
    header_message_id: str
    sender: str
    sender_address: str
    subject: str
    accepted_at: float
    """In seconds of Unix's time, which the driver reads five times as fast as a timestamp."""
    is_past: bool
    """Its deadline is over."""
    preferred_provider: str | None
    failover: bool
    is_test: bool
    reply_to: list[str] | None
    headers: str | None
    """JSON, as the next but one."""
    tags: list[str] | None
    metadata: str | None
    text: str
    html: str
    attached_octets: int


@record
class DeliveryRow(Recipient):
    """One recipient, with whether it is this batch's to do something about."""

    message_id: Id
    through: str
    """The provider that was chosen for this generation, if any."""
    rounds: int
    backoffs: int
    is_due: bool
    is_in_doubt: bool
    """Its hand-off's repeat is due."""


def read_messages(message_ids: Sequence[Id]) -> list[MessageRow]:
    """The messages with their contents, by id. Times are compared by the database's clock."""
    return list(starmap(MessageRow, _rows(_MESSAGES, message_ids)))


def read_deliveries(message_ids: Sequence[Id]) -> list[DeliveryRow]:
    """Their deliveries, by id, but for those that the headers do not name."""
    return list(starmap(DeliveryRow, _rows(_DELIVERIES, message_ids)))


def read_attempted(message_ids: Sequence[Id]) -> set[Id]:
    """Those of their deliveries whose generation has been handed to a provider before."""
    return {id_ for (id_,) in _rows(_ATTEMPTED, message_ids)}


def _rows(query: str, message_ids: Sequence[Id]) -> list[tuple[Any, ...]]:
    with prepared_cursor() as cursor:
        cursor.execute(query, {"ids": id_array(message_ids)})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
