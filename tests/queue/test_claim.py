"""The claim takes what is due, once, oldest first, by one index scan."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Message, State
from notifications.models.lease import LEASE_SECONDS, Lease
from notifications.queue.claim import claim_due
from tests.factories import MessageFactory, make_message

pytestmark = pytest.mark.django_db


def test_due_messages_are_claimed_oldest_first() -> None:
    now = timezone.now()
    ages = [3, 9, 6]
    messages = {age: make_message(due_at=now - timedelta(seconds=age)) for age in ages}
    claim = claim_due(limit=2)
    assert claim is not None
    assert set(claim.message_ids) == {messages[9].id, messages[6].id}


def test_what_is_not_due_yet_or_settled_is_not_claimed() -> None:
    make_message(due_at=timezone.now() + timedelta(minutes=1))
    MessageFactory(due_at=None, state=State.SENT)
    assert claim_due() is None


def test_a_claimed_message_is_not_claimed_again() -> None:
    make_message()
    assert claim_due() is not None
    assert claim_due() is None


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_worker_is_claiming_is_skipped() -> None:
    message = make_message()
    claims: list[object] = []

    def claim_elsewhere() -> None:
        claims.append(claim_due())
        connection.close()

    with transaction.atomic():
        assert claim_due() is not None
        thread = threading.Thread(target=claim_elsewhere)
        thread.start()
        thread.join(timeout=10)
    assert claims == [None]
    message.refresh_from_db()
    assert message.lease_token is not None


def test_the_claim_costs_one_statement(django_assert_num_queries: object) -> None:
    make_message()
    with django_assert_num_queries(1):  # type: ignore[operator]
        claim_due()


def test_the_claim_reads_only_its_own_index() -> None:
    """At many settled messages the plan must not look at one of them."""
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
            WHERE due_at <= now() AND lease_until IS NULL
            ORDER BY due_at, id LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED"""
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "message_claim" in plan
    assert "Seq Scan" not in plan


def test_a_lease_is_renewed_only_by_its_holder() -> None:
    message = make_message()
    claim = claim_due()
    assert claim is not None
    assert Lease(uuid4()).renew([message.id]) == []
    lease = Lease(claim.token)
    assert lease.renew([message.id]) == [message.id]
    assert LEASE_SECONDS - 5 < lease.remaining() <= LEASE_SECONDS


def test_a_released_message_can_be_claimed_again() -> None:
    message = make_message()
    claim = claim_due()
    assert claim is not None
    Lease(uuid4()).release([message.id])
    assert claim_due() is None
    Lease(claim.token).release([message.id])
    assert claim_due() is not None
    assert Message.objects.get().lease_token is not None
