"""A long history, and how much of it a call reads."""

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import ProviderFactory, UserFactory
from tests.queue.line import nodes

FEW = 100
"""More rows than what is not history needs."""

_GROW = """
WITH m AS (
    INSERT INTO notifications_message
        (id, owner_id, sender, sender_address, subject, header_message_id, expires_at, state, seq)
    SELECT gen_random_uuid(), %(owner)s, '', '', '', '', now(), 'sent', 0
    FROM generate_series(1, 5000) RETURNING id
), d AS (
    INSERT INTO notifications_delivery
        (id, message_id, owner_id, kind, position, address, name, state, generation, rounds,
         backoffs, due_at)
    SELECT gen_random_uuid(), id, %(owner)s, 'to', 0, '', '', 'pending', 1, 0, 0, now()
    FROM m RETURNING id, message_id
), paired AS MATERIALIZED (
    SELECT lpad(to_hex(row_number() OVER ()), 32, '0')::uuid AS handoff_id, id, message_id FROM d
), h AS (
    INSERT INTO notifications_handoff
        (id, message_id, provider_id, idempotency_key, provider_message_id, tries, outcome,
         reading, answer, ended_at)
    SELECT handoff_id, message_id, %(provider)s, '', '', 1, 'accepted', 'sent', '', now()
    FROM paired
)
INSERT INTO notifications_attempt
    (handoff_id, delivery_id, generation, outcome, reading, answer)
SELECT handoff_id, id, 1, 'accepted', 'sent', '' FROM paired
"""
_COUNT = """
ANALYZE notifications_message, notifications_delivery, notifications_handoff, notifications_attempt
"""


def grow_history() -> None:
    """Add 5,000 messages that were handed over long ago, and let the planner know of them."""
    with connection.cursor() as cursor:
        cursor.execute(_GROW, {"owner": UserFactory().pk, "provider": ProviderFactory().pk})
        cursor.execute(_COUNT)


def rows_read(call: Callable[[], object]) -> float:
    """How many rows one step of the questions that `call` asks looks at, at most."""
    with CaptureQueriesContext(connection) as queries:
        call()
    questions = [query["sql"] for query in queries if _is_question(query["sql"])]
    assert questions
    return max(_rows(node) for question in questions for node in nodes(_plan(question)))


def _is_question(sql: str) -> bool:
    """Whether it is one; those that are prepared have a plan of their own."""
    is_prepared = "%(" in sql or "$1" in sql
    return sql.lstrip().startswith(("SELECT", "WITH")) and not is_prepared


def _plan(question: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {question}")
        (answer,) = cursor.fetchone()
    told = answer if isinstance(answer, list) else json.loads(answer)
    plan: dict[str, Any] = told[0]["Plan"]
    return plan


def _rows(node: dict[str, Any]) -> float:
    in_vain = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return float((node["Actual Rows"] + in_vain) * node["Actual Loops"])
