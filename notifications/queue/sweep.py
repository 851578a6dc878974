"""The sweeper: what to do with messages whose worker went away.

A message without an in-flight attempt is free again as soon as its lease ends. With one, nobody can
know whether the provider took it: it is shown as `uncertain`, a little later, so that a worker that
is only slow records the truth first.
"""

from uuid import UUID

from django.db import connection, transaction

from notifications.delivery.doubt import WORKER_LOST, doubt
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.models import Attempt
from notifications.models.handoff import Outcome

GRACE_SECONDS = 5
"""How long after its lease an in-flight attempt is left to its worker."""

_LIMIT = 500
"""Messages in one transaction."""


def sweep_expired() -> int:
    """Settle what lost its worker; returns the number of messages freed or shown as uncertain."""
    return _free_idle() + _doubt_in_flight()


def _free_idle() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH lost AS (
                SELECT id FROM notifications_message m
                WHERE lease_until < now() AND NOT EXISTS (
                    SELECT 1 FROM notifications_delivery d
                    WHERE d.message_id = m.id AND d.state = 'sending'
                )
                ORDER BY lease_until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE notifications_message m SET lease_token = NULL, lease_until = NULL
            FROM lost WHERE m.id = lost.id
            """,
            [_LIMIT],
        )
        return int(cursor.rowcount)


def _doubt_in_flight() -> int:
    with transaction.atomic():
        message_ids = _lost_in_flight()
        if not message_ids:
            return 0
        # read after the rows are locked: until then a worker may still record the truth
        record_outcomes(_uncertain(message_ids))
        _clear_leases(message_ids)
        return len(message_ids)


def _lost_in_flight() -> list[UUID]:
    """Lock the messages past lease and grace; another sweeper passes them over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM notifications_message
            WHERE lease_until < now() - %s * interval '1 second'
            ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
            """,
            [GRACE_SECONDS, _LIMIT],
        )
        return [row[0] for row in cursor.fetchall()]


def _uncertain(message_ids: list[UUID]) -> list[HandoffOutcome]:
    attempts = Attempt.objects.filter(
        delivery__message__in=message_ids, handoff__outcome=Outcome.IN_FLIGHT
    ).values_list("handoff_id", "handoff__message_id", "delivery_id", "handoff__provider__name")
    by_handoff: dict[UUID, tuple[UUID, list[AttemptOutcome]]] = {}
    for handoff_id, message_id, delivery_id, provider in attempts:
        doubtful = AttemptOutcome(
            change=doubt(delivery_id, provider=provider),
            outcome=Outcome.UNCERTAIN,
            reading=WORKER_LOST,
        )
        by_handoff.setdefault(handoff_id, (message_id, []))[1].append(doubtful)
    return [
        HandoffOutcome(handoff_id, message_id, doubts)
        for handoff_id, (message_id, doubts) in by_handoff.items()
    ]


def _clear_leases(message_ids: list[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_message SET lease_token = NULL, lease_until = NULL
            WHERE id = ANY(%s)
            """,
            [message_ids],
        )
