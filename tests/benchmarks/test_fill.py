"""The messages that the benchmarks send are those that `submit()` stores."""

import json
from typing import Any

import pytest
from django.db import connection

from benchmarks.limbo_side.fill import fill
from notifications.models import Message, User
from notifications.queue.claim import claim_due

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = {
    "message": "id",
    "content": "message_id",
    "delivery": "message_id",
    "event": "message_id",
    "requestlog": "message_id",
}
OWN = {"id", "message_id", "turn", "header_message_id", "address"}
"""What makes a message itself, and is its own."""


def rows_of(message: Message) -> dict[str, dict[str, Any]]:
    """A message's row in each table."""
    rows = {}
    for table, key in TABLES.items():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT to_jsonb(t)::text FROM notifications_{table} t WHERE {key} = %s",
                [message.pk],
            )
            ((row,),) = cursor.fetchall()
        rows[table] = json.loads(row)
    return rows


def test_every_message_is_stored_as_submit_stores_it() -> None:
    User.objects.create_user("bench")
    fill(5)
    sample, *copies = Message.objects.order_by("turn")
    assert len(copies) == 4
    expected = rows_of(sample)
    for place, copy in enumerate(copies, 1):
        rows = rows_of(copy)
        for table, row in rows.items():
            assert {k: v for k, v in row.items() if k not in OWN} == {
                k: v for k, v in expected[table].items() if k not in OWN
            }
        assert copy.turn == (sample.turn or 0) + place
        assert copy.header_message_id == f"<{copy.pk.hex}@example.com>"
    assert len(set(Message.objects.values_list("header_message_id"))) == 5


def test_what_is_submitted_next_has_its_turn_behind_them() -> None:
    owner = User.objects.create_user("bench")
    fill(5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT finish FROM notifications_fairshare WHERE owner_id = %s", [owner.pk])
        ((finish,),) = cursor.fetchall()
    last = Message.objects.order_by("-turn").first()
    assert last is not None
    assert finish == (last.turn or 0) + 1
    claim = claim_due()
    assert claim is not None
    assert len(claim.message_ids) == 5
