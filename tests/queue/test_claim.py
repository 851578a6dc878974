"""The claim takes those whose turn it is, once, in order, by one index scan."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Message, QueueClock, State
from notifications.models.lease import LEASE_SECONDS, Lease
from notifications.queue.claim import claim_due
from notifications.queue.turns import give_turns
from tests.factories import MessageFactory, UserFactory, make_message
from tests.queue.line import plan_of, queue_up, update_of_messages

pytestmark = pytest.mark.django_db


def test_messages_are_claimed_in_the_order_of_their_turns() -> None:
    messages = {turn: make_message(turn=turn) for turn in (6, 3, -9)}
    claim = claim_due(limit=2)
    assert claim is not None
    assert claim.message_ids == [messages[-9].id, messages[3].id]


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


def test_a_message_that_was_with_a_worker_that_died_is_claimed_alone() -> None:
    first, suspect, last = (make_message(deaths=deaths) for deaths in (0, 1, 0))
    batches = [claim_due() for _ in range(3)]
    ids = [batch and batch.message_ids for batch in batches]
    assert ids == [[first.id, last.id], [suspect.id], None]


def test_a_suspect_whose_turn_it_is_does_not_wait_for_the_others() -> None:
    suspect, other = make_message(deaths=2), make_message()
    ids = [batch and batch.message_ids for batch in (claim_due(), claim_due())]
    assert ids == [[suspect.id], [other.id]]


@pytest.mark.django_db(transaction=True)
def test_claimers_at_the_same_moment_never_get_the_same_message() -> None:
    owner = UserFactory()
    queue_up(owner, 2000)
    start = threading.Barrier(4)

    def claim_all(_: int) -> list[UUID]:
        try:
            start.wait()
            claims = iter(lambda: claim_due(limit=20), None)
            return [message_id for claim in claims for message_id in claim.message_ids]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claimed = [message_id for ids in pool.map(claim_all, range(4)) for message_id in ids]
    assert len(claimed) == len(set(claimed)) == 2000


def test_the_claim_costs_one_statement(django_assert_num_queries: object) -> None:
    make_message()
    with django_assert_num_queries(1):  # type: ignore[operator]
        claim_due()


def test_the_clock_stands_still_while_nothing_is_claimed() -> None:
    assert claim_due() is None
    assert not QueueClock.objects.exists()


def test_the_clock_never_goes_back() -> None:
    for turn in (7, 5):
        make_message(turn=turn)
        assert claim_due() is not None
        assert [clock.turn for clock in QueueClock.objects.all()] == [7]


def test_the_claim_reads_only_its_own_index_and_sorts_no_more_than_a_batch() -> None:
    """However many messages have ended, and however many wait."""
    queue_up(UserFactory(), 50_000)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE notifications_message SET state = 'sent', due_at = NULL, turn = NULL
            WHERE turn < 20000"""
        )
        cursor.execute("ANALYZE notifications_message")
    node = plan_of(claim_due, "LockRows")
    assert [child["Node Type"] for child in node["Plans"]] == ["Index Scan"]
    assert node["Plans"][0]["Index Name"] == "message_turn"


def test_the_claim_finds_what_it_updates_by_ids_however_many_wait() -> None:
    """To join a batch that is thought to be long, the whole table would be read."""
    queue_up(UserFactory(), 50_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_message")
    found = update_of_messages(claim_due)
    assert found["Index Name"] == "notifications_message_pkey"
    assert found["Index Cond"].startswith("(id = ANY (")


def test_a_lease_is_renewed_only_by_its_holder() -> None:
    message = make_message()
    claim = claim_due()
    assert claim is not None
    assert Lease(uuid4()).renew([message.id]) == []
    lease = Lease(claim.token)
    assert lease.renew([message.id]) == [str(message.id)]
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


def test_a_released_message_that_is_not_due_does_not_come_up_again_until_it_is() -> None:
    """Workers of an older version leave a turn where there must be none."""
    message = make_message()
    Message.objects.update(due_at=timezone.now() + timedelta(hours=1))
    claim = claim_due()
    assert claim is not None
    Lease(claim.token).release([message.id])
    assert (claim_due(), give_turns()) == (None, 0)
    Message.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert give_turns() == 1
    assert claim_due() is not None
