"""The in-flight commit: the Attempts that are stored before any byte leaves."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from django.db import connection

from notifications.history.arrays import id_array, plain_array
from notifications.history.changes import Change, change_deliveries
from notifications.models.ids import Id
from notifications.models.lease import Lease
from notifications.models.prepared import prepared_cursor
from notifications.models.record import record
from notifications.models.state import State


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
    planned: Sequence[P], *, journal_id: UUID | None = None, lease: Lease | None = None
) -> Sequence[P]:
    """Move the planned deliveries to `sending` and store their Handoffs and Attempts.

    Runs in the caller's transaction, which has locked the messages under their lease; the bytes
    may leave only after its commit. A delivery that is no longer `pending` (cancelled meanwhile)
    is left out. `journal_id` names the journal that will witness them, `lease` is the messages'.
    Returns what is in flight now: a hand-off has the deliveries that are, and one without any is
    absent.
    """
    told = {name: {"provider": name} for name in {plan.provider_name for plan in planned}}
    step = State.SENDING  # an enum's member is looked up by Python
    changes = [
        Change(delivery_id, step, told[plan.provider_name])
        for plan in planned
        for delivery_id in plan.delivery_ids
    ]
    changed = change_deliveries(changes, before=(State.PENDING,), sending=lease)
    generations = {delivery.delivery_id: delivery.generation for delivery in changed}
    begun = planned
    if len(changed) < len(changes):
        begun = [left for plan in planned if (left := _begun(plan, generations)).delivery_ids]
    if begun:
        _insert(begun, generations, journal_id)
    return begun


def _begun(plan: P, in_flight: Container[Id]) -> P:
    """`plan` with those of its deliveries that are in flight."""
    ids = tuple([delivery_id for delivery_id in plan.delivery_ids if delivery_id in in_flight])
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


def _insert(
    begun: Sequence[Planned], generations: Mapping[Id, int], journal_id: UUID | None
) -> None:
    deliveries = [delivery_id for plan in begun for delivery_id in plan.delivery_ids]
    with prepared_cursor() as cursor:
        cursor.execute(
            """
            WITH h AS (
                INSERT INTO notifications_handoff
                    (id, message_id, provider_id, idempotency_key, provider_message_id,
                     tries, outcome, reading, answer, journal_id)
                SELECT id, message_id, provider_id, id::text, '', 1, 'in_flight', '', '',
                    %(journal)s::uuid
                FROM unnest(%(handoffs)s::uuid[], %(messages)s::uuid[], %(providers)s::bigint[])
                    t (id, message_id, provider_id)
            )
            INSERT INTO notifications_attempt
                (handoff_id, delivery_id, generation, outcome, reading, answer)
            SELECT handoff_id, delivery_id, generation, 'in_flight', '', ''
            FROM unnest(
                %(attempt_handoffs)s::uuid[], %(deliveries)s::uuid[], %(generations)s::int[]
            ) t (handoff_id, delivery_id, generation)
            """,
            {
                "journal": str(journal_id) if journal_id else None,
                "handoffs": id_array(plan.handoff_id for plan in begun),
                "messages": id_array(plan.message_id for plan in begun),
                "providers": plain_array(plan.provider_id for plan in begun),
                "attempt_handoffs": id_array(
                    plan.handoff_id for plan in begun for _ in plan.delivery_ids
                ),
                "deliveries": id_array(deliveries),
                "generations": plain_array(generations[id_] for id_ in deliveries),
            },
        )
