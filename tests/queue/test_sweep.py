"""What the sweeper does with messages whose worker went away."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications.history.changes import lock_messages
from notifications.history.in_flight import Planned, commit_in_flight
from notifications.history.tracking import Report, apply_tracking_event
from notifications.models import Attempt, Handoff, Message, State
from notifications.models.ids import Id, new_id
from notifications.models.lease import Lease
from notifications.queue.claim import claim_next
from notifications.queue.sweep import GRACE_SECONDS, sweep_expired
from tests.factories import ProviderFactory, make_message

pytestmark = pytest.mark.django_db


def lease_ended(message: Message, *, seconds_ago: float) -> None:
    """Put the end of the message's lease into the past."""
    until = timezone.now() - timedelta(seconds=seconds_ago)
    Message.objects.filter(id=message.id).update(
        lease_until=until, lease_token=message.lease_token or uuid4()
    )


def in_flight(message: Message) -> Id:
    """Commit the message's deliveries as in flight; returns the hand-off."""
    provider = ProviderFactory()
    deliveries = tuple(map(str, message.deliveries.values_list("id", flat=True)))
    plan = Planned(new_id(), str(message.id), provider.id, provider.name, deliveries)
    with transaction.atomic():
        lock_messages([message.id])
        commit_in_flight([plan])
    return plan.handoff_id


def test_a_message_that_was_only_claimed_is_free_again_when_its_lease_ends() -> None:
    message = make_message()
    assert claim_next() is not None
    lease_ended(message, seconds_ago=1)
    assert sweep_expired() == 1
    message.refresh_from_db()
    assert (message.state, message.lease_token) == (State.PENDING, None)
    assert claim_next() is not None


def test_a_message_in_flight_is_uncertain_after_lease_and_grace() -> None:
    message = make_message("a@example.org", "b@example.org")
    handoff_id = in_flight(message)
    lease_ended(message, seconds_ago=GRACE_SECONDS + 1)
    assert sweep_expired() == 1
    message.refresh_from_db()
    assert (message.state, message.lease_token, message.due_at) == (State.UNCERTAIN, None, None)
    handoff = Handoff.objects.get(id=handoff_id)
    assert (handoff.outcome, handoff.reading) == ("uncertain", "worker_lost")
    assert handoff.ended_at is not None
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"uncertain"}
    kinds = message.events.order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["sending", "sending", "uncertain", "uncertain"]


def test_a_report_about_one_recipient_leaves_the_others_to_the_sweeper() -> None:
    message = make_message("a@example.org", "b@example.org")
    in_flight(message)
    reported = Attempt.objects.select_related("delivery").order_by("pk")[0]
    apply_tracking_event(Report(reported, State.DELIVERED, "1", {}))
    lease_ended(message, seconds_ago=GRACE_SECONDS + 1)
    assert sweep_expired() == 1
    states = message.deliveries.order_by("id").values_list("state", flat=True)
    assert list(states) == [State.DELIVERED, State.UNCERTAIN]


def test_within_its_grace_an_in_flight_message_is_left_to_its_worker() -> None:
    message = make_message()
    in_flight(message)
    lease_ended(message, seconds_ago=GRACE_SECONDS - 2)
    assert sweep_expired() == 0
    message.refresh_from_db()
    assert message.state == State.SENDING


def test_a_message_whose_lease_holds_is_left_alone() -> None:
    message = make_message()
    assert claim_next() is not None
    assert sweep_expired() == 0
    message.refresh_from_db()
    assert message.lease_token is not None


def test_a_message_in_flight_keeps_its_lease_when_it_is_released() -> None:
    """Without that nobody would ever look at it again."""
    message = make_message()
    claim = claim_next()
    assert claim is not None
    in_flight(message)
    Lease(claim.token).release([message.id])
    message.refresh_from_db()
    assert message.lease_token == claim.token


def test_the_sweep_reads_only_its_own_index() -> None:
    message = make_message()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO notifications_message
            (id, owner_id, sender, sender_address, subject, header_message_id, expires_at,
             state, seq)
            SELECT gen_random_uuid(), %s, '', '', '', '', now(), 'sent', 0
            FROM generate_series(1, 20000)""",
            [message.owner_id],
        )
        cursor.execute("ANALYZE notifications_message")
        cursor.execute(
            """EXPLAIN SELECT id FROM notifications_message
            WHERE lease_until < now() ORDER BY lease_until LIMIT 500"""
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "message_lease" in plan
