"""The messages that the benchmarks send are those that `submit()` stores."""

import json
from typing import Any

import pytest
from django.db import connection

from benchmarks.limbo_side.fill import fill
from benchmarks.limbo_side.follow import follow
from notifications.history.positions import sequence_events
from notifications.history.roll_ups import count_events
from notifications.history.search import write_terms
from notifications.models import EventPosition, Message, MessageTerm, User
from notifications.queue.claim import claim_next

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = {
    "message": "id",
    "content": "message_id",
    "delivery": "message_id",
    "event": "message_id",
    "requestlog": "message_id",
}
OWN = {"id", "message_id", "header_message_id", "address"}
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
    sample, *copies = Message.objects.order_by("id")
    assert len(copies) == 4
    expected = rows_of(sample)
    for copy in copies:
        rows = rows_of(copy)
        for table, row in rows.items():
            assert {k: v for k, v in row.items() if k not in OWN} == {
                k: v for k, v in expected[table].items() if k not in OWN
            }
        assert copy.header_message_id == f"<{copy.pk.hex}@example.com>"
    assert len(set(Message.objects.values_list("header_message_id"))) == 5


def test_what_has_waited_leaves_no_news_to_followers() -> None:
    User.objects.create_user("bench")
    fill(5)
    follow()
    assert EventPosition.objects.count() == 5
    assert (sequence_events(), count_events(), write_terms()) == (0, 0, 0)
    assert MessageTerm.objects.values("message").distinct().count() == 5


def test_they_wait_to_be_claimed() -> None:
    User.objects.create_user("bench")
    fill(5)
    claim = claim_next()
    assert claim is not None
    assert len(claim.message_ids) == 5
