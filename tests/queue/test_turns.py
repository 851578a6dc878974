"""What becomes due again gets its turn by the same rule as what is submitted."""

from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from benchmarks.limbo_side.line import give_turns
from notifications.models import FairShare, Message, Priority, QueueClock, User
from notifications.models.fair_share import HEAD_START
from notifications.queue.claim import claim_next
from tests.factories import MessageFactory, UserFactory, make_message
from tests.queue.line import become_due, ids_of, queue_up, updates_of_messages

pytestmark = pytest.mark.django_db


def turns() -> dict[UUID, int | None]:
    """Every message's turn."""
    return dict(Message.objects.values_list("id", "turn"))


def test_they_stand_in_line_in_the_order_in_which_they_became_due() -> None:
    now = timezone.now()
    owner = UserFactory()
    made = [
        make_message(owner=owner, turn=None, due_at=now - timedelta(seconds=age))
        for age in (10, 30, 20)
    ]
    assert give_turns() == 3
    assert [turns()[message.id] for message in made] == [2, 0, 1]
    assert FairShare.objects.get().finish == 3


def test_each_costs_as_many_places_as_it_has_recipients_that_wait() -> None:
    owner = UserFactory()
    make_message("a@example.org", "b@example.org", "c@example.org", owner=owner, turn=None)
    message = make_message("a@example.org", "b@example.org", owner=owner, turn=None)
    message.deliveries.filter(position=0).update(state="sending", due_at=None)
    give_turns()
    assert sorted(turns().values(), key=str) == [0, 3]
    assert FairShare.objects.get().finish == 4


def test_they_come_after_what_their_owner_has_in_line_and_not_before_the_clock() -> None:
    ann, bob = UserFactory(), UserFactory()
    QueueClock.objects.create(id=1, turn=100)
    FairShare.objects.create(owner=ann, priority="normal", finish=250)
    FairShare.objects.create(owner=bob, priority="normal", finish=20)
    first, second = (make_message(owner=owner, turn=None) for owner in (ann, bob))
    give_turns()
    assert turns() == {first.id: 250, second.id: 100}
    assert [share.finish for share in FairShare.objects.order_by("owner")] == [251, 101]


def test_each_priority_has_its_line() -> None:
    owner = UserFactory()
    made = {
        priority: [make_message(owner=owner, turn=None, priority=priority) for _ in range(2)]
        for priority in Priority
    }
    give_turns()
    starts = {Priority.URGENT: -HEAD_START, Priority.NORMAL: 0, Priority.BULK: HEAD_START}
    for priority, messages in made.items():
        places = sorted(turns()[message.id] or 0 for message in messages)
        assert places == [starts[priority], starts[priority] + 1]


def test_what_is_not_due_or_is_with_a_worker_gets_none() -> None:
    make_message(due_at=timezone.now() + timedelta(minutes=1))
    MessageFactory(due_at=None, state="sent")
    make_message()
    assert claim_next() is not None
    Message.objects.filter(lease_until__isnull=False).update(turn=None)
    assert give_turns() == 0
    assert set(turns().values()) == {None}


def test_a_call_gives_no_more_than_its_limit_and_the_longest_due_come_first() -> None:
    now, owner = timezone.now(), UserFactory()
    made = [
        make_message(owner=owner, turn=None, due_at=now - timedelta(seconds=age))
        for age in (10, 30, 20)
    ]
    assert (give_turns(limit=2), give_turns(limit=2), give_turns(limit=2)) == (2, 1, 0)
    assert [turns()[message.id] for message in made] == [2, 0, 1]


def test_where_more_is_due_than_one_call_gives_the_others_next_ones_get_theirs_as_well() -> None:
    flood = UserFactory()
    become_due(flood, 10)
    Message.objects.update(due_at=timezone.now() - timedelta(hours=1))
    newcomer, later = UserFactory(), timezone.now() + timedelta(hours=1)
    normal = [make_message(owner=newcomer, turn=None) for _ in range(4)]
    urgent = make_message(owner=flood, turn=None, priority=Priority.URGENT)
    make_message(owner=UserFactory(), turn=None, due_at=later)
    # the last of the three has turn 2
    assert give_turns(limit=3) == 3 + 2 + 1
    assert [turns()[message.id] for message in normal] == [0, 1, None, None]
    assert turns()[urgent.id] == -HEAD_START


def test_who_would_come_after_those_who_are_next_in_line_waits_for_another_call() -> None:
    flood, *others = UserFactory.create_batch(3)
    queue_up(flood, 5)
    become_due(flood, 5)
    Message.objects.update(due_at=timezone.now() - timedelta(hours=1))
    soon, later = (make_message(owner=owner, turn=None) for owner in others)
    for message, finish in ((soon, 0), (later, 1)):
        FairShare.objects.create(owner=message.owner, priority="normal", finish=finish)
    # the second in line has turn 1
    claimed = ids_of(claim_next(limit=2))
    assert [turns()[message_id] for message_id in claimed] == [0, 0]
    assert soon.id in claimed
    assert turns()[later.id] is None


def test_a_storm_of_one_users_retries_passes_nobody_elses_mail() -> None:
    storm, quiet = UserFactory(), UserFactory()
    become_due(storm, 1500)
    Message.objects.update(due_at=timezone.now() - timedelta(hours=1))
    message = make_message(owner=quiet, turn=None)
    give_turns()
    queue_up(storm, 500)
    assert message.id in ids_of(claim_next(limit=10))


def test_what_is_all_that_waits_is_claimed_as_it_gets_its_turns(
    django_assert_num_queries: object,
) -> None:
    ann, bob = UserFactory(), UserFactory()
    first, urgent, second, bobs = (
        make_message("a@example.org", "b@example.org", owner=owner, turn=None, priority=priority)
        for owner, priority in ((ann, "normal"), (ann, "urgent"), (ann, "normal"), (bob, "normal"))
    )
    with django_assert_num_queries(1):  # type: ignore[operator]
        claim = claim_next()
    assert claim is not None
    assert ids_of(claim) == [urgent.id, first.id, bobs.id, second.id]
    assert turns() == {urgent.id: -HEAD_START, first.id: 0, bobs.id: 0, second.id: 2}
    assert set(Message.objects.values_list("lease_token", flat=True)) == {claim.token}
    assert QueueClock.objects.get().turn == 2
    assert claim_next() is None


def test_what_comes_while_others_stand_in_line_is_claimed_in_its_turn() -> None:
    """Not at once: what is there is served first, by its turn."""
    busy, quiet = UserFactory(), UserFactory()
    queue_up(busy, 3)
    message = make_message(owner=quiet, turn=None)
    claimed = ids_of(claim_next(limit=2))
    assert len(claimed) == 2
    assert message.id in claimed
    assert QueueClock.objects.get().turn == 0


def test_of_more_than_a_batch_the_first_are_claimed_as_they_get_their_turns() -> None:
    """Each row is written once, and the others not at all."""
    become_due(UserFactory(), 25)
    before, taken = updates_of_messages(), []
    for _ in range(3):
        taken += ids_of(claim_next(limit=5))
    assert updates_of_messages() - before == 15
    assert [turns()[message_id] for message_id in taken] == list(range(15))
    assert list(turns().values()).count(None) == 10


def test_what_stands_in_line_leaves_less_room_for_new_turns() -> None:
    """Or a line, once there, would never end, and each row be written twice for ever."""
    owner = UserFactory()
    queue_up(owner, 8)
    become_due(owner, 40)
    before = updates_of_messages()
    # half of a batch in any case
    for left in (8 + 5 - 10, 0, 0):
        assert claim_next(limit=10) is not None
        assert Message.objects.filter(turn__isnull=False, lease_until=None).count() == left
    assert updates_of_messages() - before == 30 + 3


def test_whom_a_worker_died_with_is_not_claimed_with_the_others() -> None:
    first, suspect, last = (make_message(turn=None, deaths=deaths) for deaths in (0, 1, 0))
    batches = [ids_of(claim_next()) for _ in range(3)]
    assert batches == [[first.id, last.id], [suspect.id], []]


@pytest.mark.django_db(transaction=True)
def test_turns_are_given_by_one_at_a_time() -> None:
    """Two could turn the order of one user's messages around."""
    owner = UserFactory()
    held, free = (make_message(owner=owner, turn=None) for _ in range(2))
    with transaction.atomic():
        assert give_turns(limit=1) == 1
        assert given_by_another() == [0]
    assert (turns()[held.id], turns()[free.id]) == (0, None)


def test_it_costs_one_statement(django_assert_num_queries: object) -> None:
    make_message(turn=None)
    with django_assert_num_queries(1):  # type: ignore[operator]
        give_turns()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_give_each_message_one_turn_and_each_turn_once() -> None:
    owners = [UserFactory() for _ in range(3)]
    for owner in owners:
        become_due(owner, 300)
    start = Barrier(2)

    def give() -> None:
        try:
            start.wait()
            while give_turns(limit=50):
                pass
        finally:
            connection.close()

    threads = [Thread(target=give) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    # each skips what the other has locked, so either may end a little early
    give_turns()
    for owner in owners:
        given = Message.objects.filter(owner=owner).order_by("turn").values_list("turn", flat=True)
        assert list(given) == list(range(300))


@pytest.mark.django_db(transaction=True)
def test_a_message_that_somebody_is_changing_waits_for_the_next_call(owner_held: User) -> None:
    message = make_message(owner=owner_held, turn=None)
    with transaction.atomic():
        Message.objects.select_for_update().get(id=message.id)
        assert given_by_another() == [0]
    assert give_turns() == 1


@pytest.fixture
def owner_held(transactional_db: None) -> User:
    """Whose message it is."""
    return UserFactory()


def given_by_another() -> list[int]:
    """How many another session gives turns to now: a list of one number."""
    given: list[int] = []

    def give() -> None:
        try:
            given.append(give_turns())
        finally:
            connection.close()

    thread = Thread(target=give)
    thread.start()
    thread.join(timeout=60)
    return given
