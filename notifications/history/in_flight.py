"""The in-flight commit: the Attempts that are stored before any byte leaves."""

from collections.abc import Collection, Container, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from django.db import connection

from notifications.history.arrays import id_array, plain_array
from notifications.history.changes import STEP, STEPS, Change, changed, step_parameters
from notifications.models.ids import Id
from notifications.models.lease import Lease
from notifications.models.prepared import LongStatement
from notifications.models.record import record
from notifications.models.state import State

_BEGIN = LongStatement(f"""
WITH ch AS (
    SELECT *, NULL::int AS generation
    FROM unnest({STEPS}, %(handoffs)s::uuid[], %(providers)s::bigint[])
        t ({STEP}, handoff_id, provider_id)
),
{changed("handoff_id", "provider_id")},
h AS (
    INSERT INTO notifications_handoff
        (id, message_id, provider_id, idempotency_key, provider_message_id,
         tries, outcome, reading, answer, journal_id)
    SELECT handoff_id, message_id, provider_id, handoff_id::text, '', 1, 'in_flight', '', '',
        %(journal)s::uuid
    FROM (SELECT DISTINCT handoff_id, message_id, provider_id FROM d) begun
),
a AS (
    INSERT INTO notifications_attempt
        (handoff_id, delivery_id, generation, outcome, reading, answer)
    SELECT handoff_id, id, generation, 'in_flight', '', '' FROM d
)
SELECT id::text FROM unnest(%(ids)s::uuid[]) t (id)
WHERE (SELECT count(*) FROM d) < cardinality(%(ids)s::uuid[]) AND id NOT IN (SELECT id FROM d)
""")  # noqa: S608 - made of constants


@record
class Planned:
    """A hand-off that is about to begin."""

    handoff_id: Id
    message_id: Id
    provider_id: int
    provider_name: str
    delivery_ids: tuple[Id, ...]


P = TypeVar("P", bound=Planned)


def commit_in_flight(
    planned: Sequence[P],
    *,
    journal_id: UUID | None = None,
    lease: Lease | None = None,
    several: Collection[Id] | None = None,
) -> Sequence[P]:
    """Move the planned deliveries to `sending` and store their Handoffs and Attempts.

    Runs in the caller's transaction, which has locked the messages under their lease; the bytes
    may leave only after its commit. A delivery that is no longer `pending` (cancelled meanwhile)
    is left out. `journal_id` names the journal that will witness them, `lease` is the messages';
    `several` is as for `step_parameters`.
    Returns what is in flight now: a hand-off has the deliveries that are, and one without any is
    absent.
    """
    if not planned:
        return planned
    told = {name: {"provider": name} for name in {plan.provider_name for plan in planned}}
    step = State.SENDING  # an enum's member is looked up by Python
    parts = [(plan, delivery_id) for plan in planned for delivery_id in plan.delivery_ids]
    changes = [Change(id_, step, told[plan.provider_name]) for plan, id_ in parts]
    parameters = step_parameters(
        changes, before=(State.PENDING,), sending=lease, several=several
    ) | {
        "handoffs": id_array([plan.handoff_id for plan, _ in parts]),
        "providers": plain_array([plan.provider_id for plan, _ in parts]),
        "journal": str(journal_id) if journal_id else None,
    }
    left_out = {id_ for (id_,) in _BEGIN.run(parameters)}
    if not left_out:
        return planned
    return [begun for plan in planned if (begun := _without(plan, left_out)).delivery_ids]


def _without(plan: P, left_out: Container[Id]) -> P:
    """`plan` with those of its deliveries that are in flight."""
    ids = tuple([delivery_id for delivery_id in plan.delivery_ids if delivery_id not in left_out])
    return replace(plan, delivery_ids=ids)


def commit_repeats(handoff_ids: Sequence[Id], *, journal_id: UUID) -> set[Id]:
    """Count one more try of hand-offs in doubt, before it begins; returns those still in doubt.

    Runs in the caller's transaction, like `commit_in_flight`. Attempts and deliveries stay
    `uncertain`: whatever becomes of this try, the first one may have been accepted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_handoff SET tries = tries + 1, journal_id = %s
            WHERE id = ANY(%s) AND outcome = 'uncertain' RETURNING id::text
            """,
            [journal_id, list(handoff_ids)],
        )
        return {row[0] for row in cursor.fetchall()}
