"""How much comes and goes, of everybody: counted once, in its step, by provider and by owner."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from notifications.history import rates
from notifications.history.positions import sequence_events
from notifications.history.rates import DAY, HOUR, WEEK, Measure, Period, Rates, rates_of
from notifications.history.roll_ups import count_events
from notifications.models import Message, RecentRollUp, State, User
from tests import stories
from tests.factories import EventFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 10, 37, tzinfo=UTC)


def happened(message: Message, kind: str, at: datetime, **data: Any) -> None:
    """Something happened to the message then."""
    EventFactory(message=message, seq=message.events.count() + 1, kind=kind, at=at, data=data)


def asked(period: Period, *, now: datetime | None = None, most: int = 10) -> Rates:
    """The rates of the period, with everything counted."""
    sequence_events()
    while count_events():
        pass
    return rates_of(period, now=now or timezone.now(), most=most)


def totals(found: Rates) -> dict[Measure, int]:
    """How much of each there was."""
    return {measure: found.total(measure) for measure in Measure}


def test_a_period_s_steps_are_whole_and_end_with_the_one_that_is_under_way() -> None:
    assert HOUR.begins(NOW)[0] == NOW.replace(hour=9, minute=40)
    assert HOUR.begins(NOW)[-1] == NOW.replace(minute=35)
    assert DAY.begins(NOW)[0] == datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert WEEK.begins(NOW)[-1] == NOW.replace(hour=6, minute=0)
    assert len(WEEK.begins(NOW)) * WEEK.step == timedelta(days=7)


@pytest.mark.parametrize("period", [HOUR, DAY, WEEK], ids=lambda period: period.name)
def test_what_has_just_happened_is_in_the_last_step(period: Period) -> None:
    message = stories.accepted(UserFactory(username="shop"), "ada@example.org", "bob@example.org")
    stories.answered(stories.handed_over(message, to="relay"))
    ada, bob = stories.deliveries_of(message)
    stories.moved(ada, State.DELIVERED, provider="relay")
    stories.moved(bob, State.BOUNCED, provider="relay")
    found = asked(period)
    expected = {Measure.ACCEPTED: 1, Measure.SENT: 2, Measure.DELIVERED: 1, Measure.BOUNCED: 1}
    assert found.series[-1] == expected
    assert totals(found) == expected
    assert found.owners == {"shop": expected}
    assert found.providers == {"relay": {**expected, Measure.ACCEPTED: 0}}
    assert found.is_complete


def test_each_event_is_in_the_step_in_which_it_happened() -> None:
    message = make_message()
    for hours in (0, 1, 1, 23, 24):
        happened(message, "accepted", NOW - timedelta(hours=hours))
    found = asked(DAY, now=NOW)
    assert [counts[Measure.ACCEPTED] for counts in found.series] == [1, *[0] * 21, 2, 1]


def test_a_week_has_quarters_of_days() -> None:
    message = make_message()
    for hours in (1, 2, 7, 7 * 24 - 7):
        happened(message, "accepted", NOW - timedelta(hours=hours))
    found = asked(WEEK, now=NOW)
    assert [counts[Measure.ACCEPTED] for counts in found.series] == [1, *[0] * 25, 1, 2]


def test_what_a_provider_took_counts_once_though_it_reports_it_again() -> None:
    message = make_message()
    happened(message, "queued", timezone.now(), provider="ses")
    happened(message, "sent", timezone.now(), provider="ses", source="tracking")
    assert asked(DAY).providers["ses"][Measure.SENT] == 1
    assert totals(asked(HOUR))[Measure.SENT] == 1


def test_tags_and_test_messages_are_not_counted_beside() -> None:
    happened(make_message(tags=["a", "b"]), "accepted", timezone.now())
    happened(make_message(is_test=True), "accepted", timezone.now())
    assert totals(asked(DAY))[Measure.ACCEPTED] == 1
    assert totals(asked(HOUR))[Measure.ACCEPTED] == 1


def test_the_most_active_owners_come_first_and_no_more_than_asked_for() -> None:
    for name, count in (("few", 1), ("many", 3), ("some", 2)):
        owner = UserFactory(username=name)
        for _ in range(count):
            happened(make_message(owner=owner), "accepted", timezone.now())
    assert list(asked(DAY, most=2).owners) == ["many", "some"]


def test_counts_by_the_minute_are_kept_for_two_hours() -> None:
    message = make_message()
    happened(message, "accepted", timezone.now() - timedelta(hours=3))
    happened(message, "accepted", timezone.now() - timedelta(minutes=50))
    asked(HOUR)
    assert RecentRollUp.objects.count() == 1
    RecentRollUp.objects.update(minute=timezone.now() - timedelta(minutes=121))
    happened(message, "accepted", timezone.now())
    assert totals(asked(HOUR))[Measure.ACCEPTED] == 1
    assert RecentRollUp.objects.count() == 1


def test_minutes_and_hours_tell_the_same() -> None:
    for _ in range(3):
        message = stories.accepted(UserFactory(), "ada@example.org")
        stories.answered(stories.handed_over(message, to="relay"))
        count_events()
    assert totals(asked(HOUR)) == totals(asked(DAY)) == totals(asked(WEEK))


_SEED = """
INSERT INTO notifications_rollup (owner_id, hour, dimension, name, kind, count)
SELECT %(owner)s, date_trunc('hour', now(), 'UTC') - n * interval '1 hour', d, '', 'accepted', 1
FROM generate_series(1, 20000) n, unnest(ARRAY['all', 'tag']) d;
INSERT INTO notifications_recentrollup (minute, owner_id, name, kind, count)
SELECT now() - n * interval '1 second', %(owner)s, '', 'accepted', 1
FROM generate_series(1, 7200) n;
ANALYZE notifications_rollup, notifications_recentrollup
"""


@pytest.mark.parametrize(
    ("period", "index"),
    [(HOUR, "notifications_recentrollup_pkey"), (DAY, "rollup_hour"), (WEEK, "rollup_hour")],
    ids=["hour", "day", "week"],
)
def test_a_period_is_a_stretch_of_an_index(period: Period, index: str) -> None:
    owner = User.objects.create_user("shop")
    query = rates._BY_MINUTE if period is HOUR else rates._BY_HOUR
    with connection.cursor() as cursor:
        for statement in _SEED.strip().split(";\n"):
            cursor.execute(statement, {"owner": owner.pk})
        parameters: dict[str, Any] = {"step": period.step, "kinds": ["accepted"]}
        parameters["after"] = (
            timezone.now() - timedelta(minutes=5)
            if period is HOUR
            else (period.begins(timezone.now())[0])
        )
        cursor.execute(f"EXPLAIN {query}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
    assert "Index Cond" in plan
    assert "Seq Scan" not in plan
