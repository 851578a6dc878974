"""The roll-ups: every event counts once, whoever counts and whatever breaks."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Sum

from notifications.history import roll_ups
from notifications.history.following import is_behind, next_stretch
from notifications.history.positions import sequence_events
from notifications.history.roll_ups import NAME, count_events
from notifications.models import Follower, RollUp, State, User
from notifications.models.roll_up import Dimension
from tests import stories
from tests.factories import EventFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)


def count_all() -> None:
    """Number and count every event there is."""
    sequence_events()
    while count_events():
        pass


def counts(owner: User, dimension: Dimension = Dimension.ALL) -> dict[tuple[str, str], int]:
    """What is counted for `owner`, by name and kind."""
    rows = RollUp.objects.filter(owner=owner, dimension=dimension)
    return {(row.name, row.kind): row.count for row in rows}


def test_a_message_and_each_step_of_its_deliveries_count() -> None:
    owner = UserFactory()
    message = stories.accepted(owner, "ada@example.org", "bob@example.org")
    stories.answered(stories.handed_over(message, to="sink"))
    count_all()
    assert counts(owner) == {("", "accepted"): 1, ("", "sending"): 2, ("", "sent"): 2}
    assert counts(owner, Dimension.PROVIDER) == {("sink", "sending"): 2, ("sink", "sent"): 2}


def test_what_changed_nothing_or_is_no_state_does_not_count() -> None:
    message = make_message()
    EventFactory(message=message, kind=State.DEFERRED, applied=False)
    EventFactory(message=message, kind="retried")
    count_all()
    assert counts(message.owner) == {}
    assert not is_behind(NAME)


def test_messages_of_test_tokens_do_not_count() -> None:
    message = make_message(is_test=True)
    EventFactory(message=message)
    count_all()
    assert counts(message.owner) == {}


def test_events_count_in_the_hour_in_which_they_happened() -> None:
    message = make_message()
    for number, minutes in enumerate((0, 59, 60), start=1):
        EventFactory(message=message, seq=number, at=TEN + timedelta(minutes=minutes))
    count_all()
    rows = RollUp.objects.filter(owner=message.owner).order_by("hour")
    assert [(row.hour, row.count) for row in rows] == [(TEN, 2), (TEN + timedelta(hours=1), 1)]


def test_the_hours_are_utcs_whatever_the_servers_time_zone_is() -> None:
    message = make_message()
    EventFactory(message=message, at=TEN)
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Kathmandu'")
        try:
            count_all()
        finally:
            cursor.execute("SET TIME ZONE 'UTC'")
    assert RollUp.objects.get().hour == TEN


def test_what_comes_later_is_added() -> None:
    message = make_message()
    for number in (1, 2):
        EventFactory(message=message, seq=number, at=TEN)
        count_all()
    assert counts(message.owner) == {("", "accepted"): 2}


def test_counting_goes_on_where_it_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message()
    EventFactory.create_batch(5, message=message)
    monkeypatch.setattr(roll_ups, "_LIMIT", 2)
    sequence_events()
    assert [count_events() for _ in range(4)] == [2, 2, 1, 0]
    assert counts(message.owner) == {("", "accepted"): 5}


@pytest.mark.django_db(transaction=True)
def test_what_is_made_of_a_stretch_that_broke_is_made_again() -> None:
    message = make_message()
    EventFactory(message=message)
    sequence_events()
    with pytest.raises(ZeroDivisionError), next_stretch(NAME, limit=10):
        raise ZeroDivisionError
    assert is_behind(NAME)
    count_all()
    assert counts(message.owner) == {("", "accepted"): 1}


@pytest.mark.django_db(transaction=True)
def test_while_one_counts_another_does_not_wait() -> None:
    EventFactory(message=make_message())
    sequence_events()
    elsewhere: list[int] = []

    def count_elsewhere() -> None:
        elsewhere.append(count_events())
        connection.close()

    for _ in range(2):  # the first one also makes the follower's row
        with next_stretch(NAME, limit=0):
            thread = threading.Thread(target=count_elsewhere)
            thread.start()
            thread.join(timeout=60)
    assert elsewhere[-1] == 0
    assert Follower.objects.get(name=NAME).position == 0


@pytest.mark.django_db(transaction=True)
def test_nothing_counts_twice_or_is_missed_while_many_write_and_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(roll_ups, "_LIMIT", 7)
    owners = [UserFactory(), UserFactory()]
    done = threading.Event()

    def write(owner: User) -> None:
        for _ in range(25):
            stories.answered(stories.handed_over(stories.accepted(owner, "ada@example.org")))
        connection.close()

    def count() -> None:
        while not done.is_set():
            sequence_events()
            count_events()
        connection.close()

    writers = [threading.Thread(target=write, args=[owner]) for owner in owners]
    counters = [threading.Thread(target=count) for _ in range(3)]
    for thread in (*writers, *counters):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in counters:
        thread.join()
    count_all()
    for owner in owners:
        everything = RollUp.objects.filter(owner=owner, dimension=Dimension.ALL)
        summed = dict(everything.values_list("kind").annotate(Sum("count")))
        assert summed == {"accepted": 25, "sending": 25, "sent": 25}


def test_a_message_counts_under_each_of_its_tags() -> None:
    owner = UserFactory()
    message = make_message(owner=owner, tags=["welcome", "trial"])
    EventFactory(message=message, kind="accepted")
    count_all()
    assert counts(owner, Dimension.TAG) == {("trial", "accepted"): 1, ("welcome", "accepted"): 1}
