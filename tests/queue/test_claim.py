"""The claim takes those whose turn it is, once, in order, by one index scan."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from benchmarks.limbo_side.line import give_turns
from notifications.models import Message, Priority, QueueClock, State, User
from notifications.models.fair_share import HEAD_START
from notifications.models.lease import LEASE_SECONDS, Lease
from notifications.queue.claim import claim_next
from notifications.queue.turns import GIVING
from tests.conftest import wait_until
from tests.factories import MessageFactory, UserFactory, make_message
from tests.queue.line import become_due, ids_of, plans_of, queue_up, update_of_messages

pytestmark = pytest.mark.django_db


def test_messages_are_claimed_in_the_order_of_their_turns() -> None:
    messages = {turn: make_message(turn=turn) for turn in (6, 3, -9)}
    assert ids_of(claim_next(limit=2)) == [messages[-9].id, messages[3].id]


def test_what_is_not_due_yet_or_settled_is_not_claimed() -> None:
    make_message(due_at=timezone.now() + timedelta(minutes=1))
    MessageFactory(due_at=None, state=State.SENT)
    assert claim_next() is None


def test_a_claimed_message_is_not_claimed_again() -> None:
    make_message()
    assert claim_next() is not None
    assert claim_next() is None


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_worker_is_claiming_is_skipped() -> None:
    message = make_message()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        assert claim_next() is not None
        assert pool.submit(claim_elsewhere).result(timeout=60) == []
    message.refresh_from_db()
    assert message.lease_token is not None


def test_a_message_that_was_with_a_worker_that_died_is_claimed_alone() -> None:
    first, suspect, last = (make_message(deaths=deaths) for deaths in (0, 1, 0))
    batches = [ids_of(claim_next()) for _ in range(3)]
    assert batches == [[first.id, last.id], [suspect.id], []]


def test_a_suspect_whose_turn_it_is_does_not_wait_for_the_others() -> None:
    suspect, other = make_message(deaths=2), make_message()
    assert [ids_of(claim_next()), ids_of(claim_next())] == [[suspect.id], [other.id]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("have", [queue_up, become_due], ids=["in line", "without turns yet"])
def test_claimers_at_the_same_moment_never_get_the_same_message(
    have: Callable[[User, int], None],
) -> None:
    have(UserFactory(), 2000)
    start = threading.Barrier(4)

    def claim_all(_: int) -> list[UUID]:
        try:
            start.wait()
            claims = iter(lambda: claim_next(limit=20), None)
            return [message_id for claim in claims for message_id in ids_of(claim)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claimed = [message_id for ids in pool.map(claim_all, range(4)) for message_id in ids]
    assert len(claimed) == len(set(claimed)) == 2000


def test_the_claim_costs_one_statement(django_assert_num_queries: object) -> None:
    make_message()
    with django_assert_num_queries(1):  # type: ignore[operator]
        claim_next()


def test_the_clock_stands_still_while_nothing_is_claimed() -> None:
    assert claim_next() is None
    assert not QueueClock.objects.exists()


def test_the_clock_never_goes_back() -> None:
    for turn in (7, 5):
        make_message(turn=turn)
        assert claim_next() is not None
        assert [clock.turn for clock in QueueClock.objects.all()] == [7]


@pytest.mark.parametrize("have", [queue_up, become_due], ids=["in line", "without turns yet"])
def test_the_claim_locks_only_what_it_finds_in_order_by_its_own_indexes(
    have: Callable[[User, int], None],
) -> None:
    """However many messages have ended and however many wait, also where one user has them all."""
    have(UserFactory(), 50_000)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE notifications_message SET state = 'sent', due_at = NULL, turn = NULL
            WHERE id IN (SELECT id FROM notifications_message LIMIT 20000)"""
        )
        cursor.execute("ANALYZE notifications_message, notifications_delivery")
    used = set()
    for locked in plans_of(claim_next, "LockRows"):
        (scan,) = locked["Plans"]
        if scan["Node Type"] == "Result":
            assert scan["One-Time Filter"]
            (scan,) = scan["Plans"]
        assert scan["Node Type"] == "Index Scan"
        assert "pg_try_advisory_xact_lock" not in scan["Filter"]
        used.add(scan["Index Name"])
    assert used == {"message_turn", "message_due", "message_share"}


def test_the_claim_looks_for_shares_where_none_of_their_messages_were_just_claimed() -> None:
    become_due(UserFactory(), 5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_message")
    scans = plans_of(claim_next, "Index Only Scan")
    assert {scan["Index Name"] for scan in scans} == {"message_share"}
    assert {scan["Scan Direction"] for scan in scans} == {"Backward"}


@pytest.mark.parametrize(
    ("have", "count"),
    [(queue_up, 50_000), (become_due, 50_000), (become_due, 1)],
    ids=["in line", "without turns yet", "hardly any"],
)
def test_the_claim_finds_what_it_updates_by_ids_however_many_wait(
    have: Callable[[User, int], None], count: int
) -> None:
    """To join a batch that is thought to be long, the whole table would be read, and one that is
    thought to be short might be read through for each message."""
    have(UserFactory(), count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_message")
    join, found = update_of_messages(claim_next)
    assert join in {"Merge Join", "Hash Join"}
    assert found["Index Name"] == "notifications_message_pkey"
    assert found["Index Cond"].startswith("(id = ANY (")


@pytest.mark.django_db(transaction=True)
def test_while_another_gives_turns_what_stands_in_line_is_claimed() -> None:
    owner = UserFactory()
    queue_up(owner, 2, Priority.URGENT)
    become_due(owner, 2)
    with ThreadPoolExecutor(1) as pool, giving_turns():
        taken = pool.submit(claim_elsewhere).result(timeout=60)
    turns = [Message.objects.get(id=message_id).turn for message_id in taken]
    assert turns == [-HEAD_START, 1 - HEAD_START]
    # others wait: the queue is not drained, and the clock does not go to the start of the last
    assert QueueClock.objects.get().turn == 0


@pytest.mark.django_db(transaction=True)
def test_who_finds_nothing_while_another_gives_turns_tries_again() -> None:
    become_due(UserFactory(), 2)
    with ThreadPoolExecutor(1) as pool:
        with giving_turns():
            elsewhere = pool.submit(claim_elsewhere)
            wait_until(has_claimed_elsewhere)
        assert len(elsewhere.result(timeout=60)) == 2


@contextmanager
def giving_turns() -> Iterator[None]:
    """Be the one who gives turns."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GIVING])
        yield


def claim_elsewhere() -> list[UUID]:
    """Claim by another session; returns what it got."""
    try:
        return ids_of(claim_next())
    finally:
        connection.close()


def has_claimed_elsewhere() -> bool:
    """Whether another session's last statement was a claim, and has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            """SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
            AND pid <> pg_backend_pid() AND state = 'idle' AND query LIKE '%pg_try_advisory%')"""
        )
        return bool(cursor.fetchone()[0])


def test_a_lease_is_renewed_only_by_its_holder() -> None:
    message = make_message()
    claim = claim_next()
    assert claim is not None
    assert Lease(uuid4()).renew([message.id]) == []
    lease = Lease(claim.token)
    assert lease.renew([message.id]) == [str(message.id)]
    assert LEASE_SECONDS - 5 < lease.remaining() <= LEASE_SECONDS


def test_a_released_message_can_be_claimed_again() -> None:
    message = make_message()
    claim = claim_next()
    assert claim is not None
    Lease(uuid4()).release([message.id])
    assert claim_next() is None
    Lease(claim.token).release([message.id])
    assert claim_next() is not None
    assert Message.objects.get().lease_token is not None


def test_a_released_message_that_is_not_due_does_not_come_up_again_until_it_is() -> None:
    """Workers of an older version leave a turn where there must be none."""
    message = make_message()
    Message.objects.update(due_at=timezone.now() + timedelta(hours=1))
    claim = claim_next()
    assert claim is not None
    Lease(claim.token).release([message.id])
    assert (claim_next(), give_turns()) == (None, 0)
    Message.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert give_turns() == 1
    assert claim_next() is not None
