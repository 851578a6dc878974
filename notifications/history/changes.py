"""The one way to change deliveries, with its line of history.

Every transaction that changes deliveries first calls `lock_messages`, as a statement of its own:
without it two transactions that settle two deliveries of one message would each derive
`Message.state` from the other's old row. Then `change_deliveries` moves the deliveries, derives
the messages' state, `due_at` and `seq`, and writes the events, in one statement; or another one
does, with more beside it, by `changed`. A message that is not due any more loses its turn; when it
is due again the queue gives it a new one. While its worker is sending it has both still: see
`step_parameters`.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from typing import Any
from uuid import UUID

from django.db import connection

from notifications.history.arrays import id_array, json_array, sparse_array, text_array
from notifications.models.ids import AnyId, Id
from notifications.models.lease import Lease
from notifications.models.prepared import prepared_cursor
from notifications.models.record import record
from notifications.models.state import OPEN, RANK, State

_OPEN = text_array(OPEN)
_RANK = text_array(RANK)


@record
class Change:
    """A step that one delivery is to make, if it still stands where the step begins."""

    delivery_id: AnyId
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


@record
class Changed:
    """A delivery as the change left it."""

    delivery_id: Id
    message_id: Id
    generation: int


@dataclass(frozen=True, slots=True)
class LetGo:
    """Messages whose lease is to end with the change that their worker records."""

    token: UUID
    """The lease's: where another worker holds the message by now, its own goes on."""
    message_ids: Collection[Id]


def lock_messages(message_ids: Iterable[AnyId], *, lease: Lease | None = None) -> list[Id]:
    """Lock the messages' rows, in the order of their ids, until the transaction ends.

    With `lease` only those that still carry it: the fence of claim and in-flight commit.
    Returns the ids that were locked, which are told one by one only where some were not.
    """
    ids = [str(id_) for id_ in message_ids]
    fence = "AND lease_token = %(token)s::uuid" if lease else ""
    with prepared_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT CASE WHEN count(*) < cardinality(%(ids)s::uuid[])
                THEN coalesce(array_agg(id)::text[], '{{}}') END
            FROM (
                SELECT m.id FROM notifications_message m
                WHERE m.id = ANY(%(ids)s::uuid[]) {fence}
                ORDER BY m.id FOR NO KEY UPDATE
            ) locked
            """,  # noqa: S608 - the fence is one of two constants
            {"ids": id_array(ids), "token": str(lease.token) if lease else None},
        )
        ((locked,),) = cursor.fetchall()
    return ids if locked is None else locked


# It is prepared: planning it takes as long as running it for a few. What is joined once more would
# be compared each with each, since nobody tells how many rows a part of the statement has: so the
# changed deliveries travel through it in arrays, by message. The others of their messages are told
# apart by a hashed subplan, however many there are. A column of mere defaults comes empty, so that
# here it is NULL.
_CHANGED = """
d AS (
    UPDATE notifications_delivery x SET
        state = ch.state,
        generation = x.generation + %(requeue)s::bool::int,
        rounds = CASE WHEN %(requeue)s::bool THEN 0 ELSE x.rounds + coalesce(ch.round, 0) END,
        backoffs = CASE WHEN %(requeue)s::bool THEN 0 ELSE x.backoffs + coalesce(ch.backoff, 0) END,
        through = CASE WHEN %(requeue)s::bool THEN %(through)s::text ELSE x.through END,
        due_at = CASE WHEN ch.state = 'pending' OR ch.repeats THEN least(
            now() + coalesce(ch.wait, 0) * interval '1 second',
            (SELECT expires_at FROM notifications_message WHERE id = x.message_id)
        ) END,
        finalized_at = CASE
            WHEN ch.state = ANY(%(open)s::text[]) THEN NULL ELSE coalesce(x.finalized_at, now())
        END
    FROM ch
    WHERE x.id = ch.id AND x.state = ANY(%(from)s::text[])
        AND (ch.generation IS NULL OR ch.generation = x.generation)
    RETURNING x.id, x.message_id, x.state, x.generation, x.due_at, ch.data{also}
),
n AS (
    SELECT message_id, array_agg(id ORDER BY id) FILTER (WHERE changed) ids,
        array_agg(state ORDER BY id) FILTER (WHERE changed) states,
        array_agg(data ORDER BY id) FILTER (WHERE changed) data, min(due_at) due,
        min(array_position(%(rank)s::text[], state::text)) r,
        NOT bool_or(state = 'sending') AND message_id IN (SELECT unnest(%(let_go)s::uuid[])) ends
    FROM (
        SELECT id, message_id, state, due_at, data, true AS changed FROM d
        UNION ALL
        SELECT id, message_id, state, due_at, NULL, false FROM notifications_delivery
        WHERE id NOT IN (SELECT id FROM d) AND message_id = ANY(ARRAY(
            SELECT message_id FROM d WHERE %(several)s::uuid[] IS NULL
                OR message_id IN (SELECT unnest(%(several)s::uuid[]))
        ))
    ) changed_and_others
    GROUP BY 1
),
m AS (
    UPDATE notifications_message x SET
        seq = x.seq + cardinality(n.ids), state = (%(rank)s::text[])[n.r],
        due_at = CASE WHEN x.lease_token = %(sending)s::uuid THEN x.due_at ELSE n.due END,
        turn = CASE WHEN x.lease_token = %(sending)s::uuid OR n.due <= now() THEN x.turn END,
        lease_token = CASE WHEN n.ends AND x.lease_token = %(token)s::uuid THEN NULL
            ELSE x.lease_token END,
        lease_until = CASE WHEN n.ends AND x.lease_token = %(token)s::uuid THEN NULL
            ELSE x.lease_until END
    FROM n WHERE x.id = n.message_id
    RETURNING x.id, x.seq - cardinality(n.ids) AS seq, n.ids, n.states, n.data
),
e AS (
    INSERT INTO notifications_event (message_id, delivery_id, seq, kind, data)
    SELECT message_id, id, seq + place, state, data FROM (
        SELECT m.id AS message_id, m.seq, generate_subscripts(m.ids, 1) AS place,
            unnest(m.ids) AS id, unnest(m.states) AS state, unnest(m.data) AS data
        FROM m
    ) t
    ORDER BY message_id, place
)
"""

STEPS = """
    %(ids)s::uuid[], %(states)s::text[], %(waits)s::float8[], %(rounds)s::int[],
    %(backoffs)s::int[], %(repeats)s::bool[], ARRAY(SELECT jsonb_array_elements(%(data)s::jsonb))
"""
STEP = "id, state, wait, round, backoff, repeats, data"


def changed(*also: str) -> str:
    """The part of a statement that makes the steps of its part `ch`, and has what changed in `d`.

    `ch` has the columns of `STEP`, filled by `STEPS`, and their `generation`; and those that are
    `also` to be in `d`, which are told nobody else.
    """
    return _CHANGED.format(also="".join([f", ch.{column}" for column in also]))


_CHANGE = f"""
WITH ch AS (
    SELECT * FROM unnest({STEPS}, %(generations)s::int[]) t ({STEP}, generation)
),
{changed()}
SELECT id::text, message_id::text, generation FROM d ORDER BY d.message_id, d.id
"""  # noqa: S608 - made of constants


def change_deliveries(
    changes: Sequence[Change],
    *,
    before: Iterable[State],
    requeue: bool = False,
    through: str = "",
) -> list[Changed]:
    """Make those of `changes` whose delivery stands in one of the states `before`.

    Their messages must be locked by `lock_messages` in this transaction. With `requeue` each
    delivery begins a new generation, which asks the provider `through` first if one is named.

    Returns the deliveries that changed; the others are as they were. Raises IntegrityError if a
    step is not in the state table.
    """
    if not changes:
        return []
    parameters = step_parameters(changes, before=before) | {
        "generations": sparse_array([change.generation for change in changes]),
        "requeue": requeue,
        "through": through,
    }
    with prepared_cursor() as cursor:
        cursor.execute(_CHANGE, parameters)
        return list(starmap(Changed, cursor.fetchall()))


def step_parameters(
    changes: Sequence[Change],
    *,
    before: Iterable[State],
    sending: Lease | None = None,
    let_go: LetGo | None = None,
    several: Collection[Id] | None = None,
) -> dict[str, Any]:
    """What a statement with `changed` needs for steps that begin no new generation.

    Under the lease of a worker that begins `sending`, messages keep their `due_at` and their turn,
    which say nothing while it lasts: no index has to learn of such a change. How their hand-offs
    end sets them anew. Those that are to be `let_go` lose their lease. `several` are those that
    have more than one delivery: for the others of the rest nobody looks; None if it is not known.
    """
    return {
        "ids": id_array([change.delivery_id for change in changes]),
        "states": text_array([change.state for change in changes]),
        "waits": sparse_array([change.wait for change in changes]),
        "rounds": sparse_array([int(change.ends_round) for change in changes]),
        "backoffs": sparse_array([int(change.backs_off) for change in changes]),
        "repeats": sparse_array([change.repeats for change in changes]),
        "data": json_array([change.data for change in changes]),
        "from": text_array(before),
        "open": _OPEN,
        "rank": _RANK,
        "requeue": False,
        "through": "",
        "sending": str(sending.token) if sending else None,
        "token": str(let_go.token) if let_go else None,
        "let_go": id_array(let_go.message_ids if let_go else ()),
        "several": None if several is None else id_array(several),
    }


def add_event(
    *,
    message_id: AnyId,
    kind: str,
    data: Mapping[str, Any],
    delivery_id: AnyId | None = None,
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
