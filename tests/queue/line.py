"""Long queues, made fast, and a look at how PostgreSQL answers."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.limbo_side.line import give_turns
from notifications.models import Priority, User
from notifications.queue.claim import Claim

_PLACE = re.compile(r"%\(\w+\)s|\$\d+")
"""Where a parameter of a prepared statement goes, as it is written here and by the server."""

# whole messages, as submission stores them, but for their turn
_SEED = """
WITH ids AS MATERIALIZED (
    SELECT gen_random_uuid() AS id FROM generate_series(1, %(count)s)
),
m AS (
    INSERT INTO notifications_message
        (id, owner_id, sender, sender_address, subject, header_message_id, expires_at, state, seq,
         due_at, priority)
    SELECT id, %(owner)s, 'app@example.com', 'app@example.com', 'Hello',
        '<' || id || '@example.com>',
        now() + interval '1 day', 'pending', 1, now(), %(priority)s
    FROM ids
),
c AS (
    INSERT INTO notifications_content (message_id, text) SELECT id, 'Hello.' FROM ids
),
e AS (
    INSERT INTO notifications_event (message_id, seq, kind) SELECT id, 1, 'accepted' FROM ids
)
INSERT INTO notifications_delivery
    (id, message_id, owner_id, kind, position, address, name, state, generation, rounds, backoffs,
     due_at)
SELECT gen_random_uuid(), id, %(owner)s, 'to', 0, 'reader@example.org', '', 'pending', 1, 0, 0,
    now()
FROM ids
"""


def become_due(owner: User, count: int, priority: Priority = Priority.NORMAL) -> None:
    """Make as many messages of `owner` due, which have no turn yet."""
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {"owner": owner.pk, "count": count, "priority": priority.value}
        cursor.execute(_SEED, parameters)
        # as autovacuum does a moment later
        cursor.execute("ANALYZE notifications_message, notifications_delivery")


def queue_up(owner: User, count: int, priority: Priority = Priority.NORMAL) -> None:
    """Put as many messages of `owner` into the queue, each with its turn."""
    become_due(owner, count, priority)
    give_turns(limit=count)


def updates_of_messages() -> int:
    """How often a row of the queue was changed in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = 'notifications_message'"
        )
        return int(cursor.fetchone()[0])


def plan_of(call: Callable[[], object], node_type: str) -> dict[str, Any]:
    """The only node of that type in the plan of `call`, which is one statement."""
    (node,) = plans_of(call, node_type)
    return node


def plans_of(call: Callable[[], object], node_type: str) -> list[dict[str, Any]]:
    """All nodes of that type in that plan."""
    with CaptureQueriesContext(connection) as queries:
        call()
    (query,) = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + _as_run(query["sql"]))
        (answer,) = cursor.fetchone()
    plan = answer[0] if isinstance(answer, list) else json.loads(answer)[0]
    return [node for node in nodes(plan["Plan"]) if node["Node Type"] == node_type]


def ids_of(claim: Claim | None) -> list[UUID]:
    """The messages that were claimed, in their order."""
    return [UUID(message_id) for message_id in claim.message_ids] if claim else []


def update_of_messages(call: Callable[[], object]) -> tuple[str, dict[str, Any]]:
    """That plan's join of the messages it updates with what they get; the scan that finds them."""
    (update,) = [
        node
        for node in plans_of(call, "ModifyTable")
        if (node["Operation"], node["Relation Name"]) == ("Update", "notifications_message")
    ]
    (join,) = [node for node in update["Plans"] if node["Parent Relationship"] == "Outer"]
    (found,) = [node for node in nodes(join) if node.get("Alias") == "m"]
    # itself, or what a bitmap is made from
    return join["Node Type"], next(node for node in nodes(found) if "Index Name" in node)


def _as_run(statement: str) -> str:
    """The statement, or the call of a prepared one, whose plan is the same for all parameters."""
    if not _PLACE.search(statement):
        return statement
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements"
        )
        name, parameters = next(
            (name, parameters)
            for name, prepared, parameters in cursor.fetchall()
            if _PLACE.sub("?", prepared) == _PLACE.sub("?", statement)
        )
    return f"EXECUTE {name}({', '.join(['NULL'] * parameters)})"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The node `plan` of a plan, and all below it."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)
