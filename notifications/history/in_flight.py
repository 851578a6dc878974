"""The in-flight commit: the Attempts that are stored before any byte leaves."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from notifications.history.arrays import id_array, plain_array
from notifications.history.changes import Change, Changed, change_deliveries
from notifications.models.lease import Lease
from notifications.models.prepared import prepared_cursor
from notifications.models.state import State


class Planned(NamedTuple):
    """A hand-off that is about to begin."""

    handoff_id: UUID
    message_id: UUID
    provider_id: int
    provider_name: str
    delivery_ids: tuple[UUID, ...]


def commit_in_flight(
    planned: Sequence[Planned], *, journal_id: UUID | None = None, renewed: Lease | None = None
) -> dict[UUID, set[UUID]]:
    """Move the planned deliveries to `sending` and store their Handoffs and Attempts.

    Runs in the caller's transaction, which has locked the messages under their lease; the bytes
    may leave only after its commit. A delivery that is no longer `pending` (cancelled meanwhile)
    is left out. `journal_id` names the journal that will witness them; the messages' lease may be
    `renewed` by the way. Returns the deliveries that
    are in flight now, by hand-off; a hand-off without any is absent.
    """
    handoff_of = {delivery_id: plan for plan in planned for delivery_id in plan.delivery_ids}
    changes = [
        Change(delivery_id, State.SENDING, data={"provider": plan.provider_name})
        for delivery_id, plan in handoff_of.items()
    ]
    changed = change_deliveries(changes, before=(State.PENDING,), renewed=renewed)
    in_flight: dict[UUID, set[UUID]] = {}
    for delivery in changed:
        handoff_id = handoff_of[delivery.delivery_id].handoff_id
        in_flight.setdefault(handoff_id, set()).add(delivery.delivery_id)
    if in_flight:
        begun = [plan for plan in planned if plan.handoff_id in in_flight]
        _insert(begun, changed, handoff_of, journal_id)
    return in_flight


def commit_repeats(handoff_ids: Sequence[UUID], *, journal_id: UUID) -> set[UUID]:
    """Count one more try of hand-offs in doubt, before it begins; returns those still in doubt.

    Runs in the caller's transaction, like `commit_in_flight`. Attempts and deliveries stay
    `uncertain`: whatever becomes of this try, the first one may have been accepted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_handoff SET tries = tries + 1, journal_id = %s
            WHERE id = ANY(%s) AND outcome = 'uncertain' RETURNING id
            """,
            [journal_id, list(handoff_ids)],
        )
        return {row[0] for row in cursor.fetchall()}


def _insert(
    planned: Sequence[Planned],
    changed: Sequence[Changed],
    handoff_of: dict[UUID, Planned],
    journal_id: UUID | None,
) -> None:
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
                (id, handoff_id, delivery_id, generation, outcome, reading, answer)
            SELECT id, handoff_id, delivery_id, generation, 'in_flight', '', ''
            FROM unnest(%(attempts)s::uuid[], %(attempt_handoffs)s::uuid[],
                        %(deliveries)s::uuid[], %(generations)s::int[])
                t (id, handoff_id, delivery_id, generation)
            """,
            {
                "journal": str(journal_id) if journal_id else None,
                "handoffs": id_array(plan.handoff_id for plan in planned),
                "messages": id_array(plan.message_id for plan in planned),
                "providers": plain_array(plan.provider_id for plan in planned),
                "attempts": id_array(uuid7() for _ in changed),
                "attempt_handoffs": id_array(
                    handoff_of[row.delivery_id].handoff_id for row in changed
                ),
                "deliveries": id_array(row.delivery_id for row in changed),
                "generations": plain_array(row.generation for row in changed),
            },
        )
