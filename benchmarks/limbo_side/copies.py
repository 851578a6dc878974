"""Many copies of one message, with all of its rows, in a few statements.

Each row of the sample is copied whole, whatever its columns are; only what makes a message itself
is new: ids, the recipient, the Message-ID, and the owner where another one is named.
"""

import json
from collections.abc import Mapping
from uuid import UUID

from django.db import connection, transaction

_NEW = """
CREATE TEMPORARY TABLE new ON COMMIT DROP AS
SELECT n, uuidv7() AS id, uuidv7() AS delivery, uuidv7() AS handoff
FROM generate_series(1, %(count)s) n
"""

_MESSAGE_ID = (
    "format('<%%s@%%s>', replace(new.id::text, '-', ''), split_part(s.sender_address, '@', 2))"
)
_COLUMNS = {
    "message": f"'id', new.id, 'header_message_id', {_MESSAGE_ID}",
    "content": "'message_id', new.id",
    "delivery": (
        "'id', new.delivery, 'message_id', new.id, 'address', format('user%%s@example.com', n)"
    ),
    "event": (
        "'id', nextval('notifications_event_id_seq'), 'message_id', new.id,"
        " 'delivery_id', CASE WHEN s.delivery_id IS NOT NULL THEN new.delivery END"
    ),
    "requestlog": "'id', nextval('notifications_requestlog_id_seq'), 'message_id', new.id",
    "handoff": "'id', new.handoff, 'message_id', new.id, 'idempotency_key', new.handoff",
    "attempt": "'handoff_id', new.handoff, 'delivery_id', new.delivery",
}
"""What is new in each table's rows."""

_OF = {
    "message": "id = %(id)s",
    "attempt": "delivery_id IN (SELECT id FROM notifications_delivery WHERE message_id = %(id)s)",
}
_OF_THE_MESSAGE = "message_id = %(id)s"

_COPY = """
INSERT INTO notifications_{table} ({stored})
SELECT {made} FROM notifications_{table} s, new, jsonb_populate_record(
    NULL::notifications_{table}, to_jsonb(s) || jsonb_build_object({columns}) || %(owner)s::jsonb
) made
WHERE s.{of}
"""

# all but those that the database computes
_STORED = """
SELECT string_agg(quote_ident(column_name), ', '),
    string_agg('made.' || quote_ident(column_name), ', ')
FROM information_schema.columns
WHERE table_name = %s AND is_generated = 'NEVER'
"""

# the sequencer's work, for events whose trigger was off
_POSITIONS = """
INSERT INTO notifications_eventposition (position, event_id, owner_id)
SELECT (SELECT max(position) FROM notifications_eventposition)
    + row_number() OVER (ORDER BY e.id), e.id, m.owner_id
FROM notifications_event e JOIN notifications_message m ON m.id = e.message_id
WHERE e.id > (SELECT max(event_id) FROM notifications_eventposition)
"""


def copy_due(message_id: UUID, count: int) -> None:
    """Copy a message that is due and has no turn yet."""
    with transaction.atomic():
        _copy({"id": message_id, "count": count})


def copy_finished(message_id: UUID, count: int, *, owner_id: int | None = None) -> None:
    """Copy a message that has been sent and whose events all have their positions.

    The copies are `owner_id`'s, or the sample's owner's.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("delivery", "event"):
            # a delivery begins as sent, which no state machine allows
            cursor.execute(f"ALTER TABLE notifications_{table} DISABLE TRIGGER USER")
        _copy({"id": message_id, "count": count}, owner_id)
        cursor.execute(_POSITIONS)
        # constraints first: a table with checks to come cannot be altered
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("delivery", "event"):
            cursor.execute(f"ALTER TABLE notifications_{table} ENABLE TRIGGER USER")


def _copy(asked: Mapping[str, UUID | int], owner_id: int | None = None) -> None:
    # rows without an owner take no notice
    parameters = {**asked, "owner": json.dumps({"owner_id": owner_id} if owner_id else {})}
    with connection.cursor() as cursor:
        cursor.execute(_NEW, parameters)
        for table, columns in _COLUMNS.items():
            cursor.execute(_STORED, [f"notifications_{table}"])
            stored, made = cursor.fetchone()
            of = _OF.get(table, _OF_THE_MESSAGE)
            copy = _COPY.format(table=table, columns=columns, of=of, stored=stored, made=made)
            cursor.execute(copy, parameters)
