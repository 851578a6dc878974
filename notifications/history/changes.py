"""The one way to change deliveries, with its line of history.

Every transaction that changes deliveries first calls `lock_messages`, as a statement of its own:
without it two transactions that settle two deliveries of one message would each derive
`Message.state` from the other's old row. Then `change_deliveries` moves the deliveries, derives
the messages' state, `due_at` and `seq`, and writes the events, in one statement. A message that is
not due any more loses its turn; when it is due again the queue gives it a new one.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from notifications.history.arrays import plain_array, text_array
from notifications.models.lease import Lease
from notifications.models.state import OPEN, RANK, State


@dataclass(frozen=True, slots=True)
class Change:
    """A step that one delivery is to make, if it still stands where the step begins."""

    delivery_id: UUID
    state: State
    data: Mapping[str, Any] = field(default_factory=dict)
    """What its event tells: who, why, the provider's words."""
    wait: float = 0.0
    """Seconds until a `pending` delivery is due; never past the message's deadline."""
    repeats: bool = False
    """An `uncertain` delivery is due too after `wait`: its hand-off is repeated under its key."""
    generation: int | None = None
    """The step is for this generation only."""
    ends_round: bool = False
    """Every provider was asked and none took it."""
    backs_off: bool = False
    """It waits; the next wait will be longer."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A delivery as the change left it."""

    delivery_id: UUID
    message_id: UUID
    state: State
    generation: int


@dataclass(frozen=True, slots=True)
class LetGo:
    """Messages whose lease is to end with the change that their worker records."""

    token: UUID
    """The lease's: where another worker holds the message by now, its own goes on."""
    message_ids: Collection[UUID]


def lock_messages(message_ids: Iterable[UUID], *, lease: Lease | None = None) -> list[UUID]:
    """Lock the messages' rows, in the order of their ids, until the transaction ends.

    With `lease` only those that still carry it: the fence of claim and in-flight commit.
    Returns the ids that were locked.
    """
    fence = "AND lease_token = %(token)s" if lease else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id FROM notifications_message WHERE id = ANY(%(ids)s::uuid[]) {fence}
            ORDER BY id FOR NO KEY UPDATE
            """,  # noqa: S608 - the fence is one of two constants
            {"ids": plain_array(message_ids), "token": lease.token if lease else None},
        )
        return [row[0] for row in cursor.fetchall()]


_CHANGE = """
WITH ch AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(states)s::text[], %(waits)s::float8[], %(generations)s::int[],
        %(rounds)s::int[], %(backoffs)s::int[], %(repeats)s::bool[], %(data)s::text[]
    ) t (id, state, wait, generation, round, backoff, repeats, data)
),
d AS (
    UPDATE notifications_delivery x SET
        state = ch.state,
        generation = x.generation + %(requeue)s::int,
        rounds = CASE WHEN %(requeue)s = 1 THEN 0 ELSE x.rounds + ch.round END,
        backoffs = CASE WHEN %(requeue)s = 1 THEN 0 ELSE x.backoffs + ch.backoff END,
        due_at = CASE WHEN ch.state = 'pending' OR ch.repeats THEN least(
            now() + ch.wait * interval '1 second',
            (SELECT expires_at FROM notifications_message WHERE id = x.message_id)
        ) END,
        finalized_at = CASE
            WHEN ch.state = ANY(%(open)s) THEN NULL ELSE coalesce(x.finalized_at, now())
        END
    FROM ch
    WHERE x.id = ch.id AND x.state = ANY(%(from)s)
        AND (ch.generation IS NULL OR ch.generation = x.generation)
    RETURNING x.id, x.message_id, x.state, x.generation, x.due_at, ch.data
),
n AS (SELECT message_id, count(*)::int c FROM d GROUP BY 1),
a AS (
    SELECT n.message_id, n.c,
        min(array_position(%(rank)s::text[], coalesce(d.state, x.state)::text)) r,
        min(CASE WHEN d.id IS NULL THEN x.due_at ELSE d.due_at END) due_at,
        n.message_id = ANY(%(let_go)s::uuid[]) AND NOT EXISTS (
            SELECT 1 FROM notifications_handoff h
            WHERE h.message_id = n.message_id AND h.outcome = 'in_flight'
        ) ends
    FROM n
    JOIN notifications_delivery x USING (message_id)
    LEFT JOIN d ON d.id = x.id
    GROUP BY 1, 2
),
m AS (
    UPDATE notifications_message x SET
        seq = x.seq + a.c, state = (%(rank)s::text[])[a.r], due_at = a.due_at,
        turn = CASE WHEN a.due_at <= now() THEN x.turn END,
        lease_token = CASE WHEN a.ends AND x.lease_token = %(token)s::uuid THEN NULL
            ELSE x.lease_token END,
        lease_until = CASE WHEN a.ends AND x.lease_token = %(token)s::uuid THEN NULL
            ELSE x.lease_until END
    FROM a WHERE x.id = a.message_id
    RETURNING x.id, x.seq, a.c
),
e AS (
    INSERT INTO notifications_event (message_id, delivery_id, seq, kind, data)
    SELECT d.message_id, d.id,
        m.seq - m.c + row_number() OVER (PARTITION BY d.message_id ORDER BY d.id),
        d.state, d.data::jsonb
    FROM d JOIN m ON m.id = d.message_id
    ORDER BY 1, 3
)
SELECT id, message_id, state, generation FROM d ORDER BY message_id, id
"""


def change_deliveries(
    changes: Sequence[Change],
    *,
    before: Iterable[State],
    requeue: bool = False,
    let_go: LetGo | None = None,
) -> list[Changed]:
    """Make those of `changes` whose delivery stands in one of the states `before`.

    Their messages must be locked by `lock_messages` in this transaction. With `requeue` each
    delivery begins a new generation. Those of the changed messages that are to be `let_go` lose
    their lease with the change. Returns the deliveries that changed; the others are as they were.
    Raises IntegrityError if a step is not in the state table.
    """
    if not changes:
        return []
    parameters: dict[str, Any] = {
        "ids": plain_array(change.delivery_id for change in changes),
        "states": text_array(change.state for change in changes),
        "waits": plain_array(change.wait for change in changes),
        "generations": plain_array(change.generation for change in changes),
        "rounds": plain_array(int(change.ends_round) for change in changes),
        "backoffs": plain_array(int(change.backs_off) for change in changes),
        "repeats": plain_array(change.repeats for change in changes),
        "data": text_array(json.dumps(dict(change.data)) for change in changes),
        "from": [state.value for state in before],
        "open": [state.value for state in OPEN],
        "rank": [state.value for state in RANK],
        "requeue": int(requeue),
        "token": let_go.token if let_go else None,
        "let_go": plain_array(let_go.message_ids if let_go else ()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, parameters)
        return [
            Changed(delivery_id, message_id, State(state), generation)
            for delivery_id, message_id, state, generation in cursor.fetchall()
        ]


def add_event(
    *,
    message_id: UUID,
    kind: str,
    data: Mapping[str, Any],
    delivery_id: UUID | None = None,
    applied: bool = True,
) -> None:
    """Write a line of history that changes no delivery's state.

    The message must be locked by `lock_messages` in this transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH m AS (
                UPDATE notifications_message SET seq = seq + 1 WHERE id = %(message)s
                RETURNING id, seq
            )
            INSERT INTO notifications_event (message_id, delivery_id, seq, kind, applied, data)
            SELECT id, %(delivery)s, seq, %(kind)s, %(applied)s, %(data)s FROM m
            """,
            {
                "message": message_id,
                "delivery": delivery_id,
                "kind": kind,
                "applied": applied,
                "data": json.dumps(dict(data)),
            },
        )
