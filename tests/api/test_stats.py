"""`/v1/stats`: what happened in a period, from the roll-ups."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.models import Message, RollUp, Scope
from tests import stories
from tests.api.conftest import Api, api_of
from tests.api.problems import problem_of
from tests.factories import EventFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stats(api: Api, **query: Any) -> dict[str, Any]:
    """The stats that the API tells."""
    answer = api.get("/v1/stats", **query)
    assert answer.status_code == 200, answer.content
    members: dict[str, Any] = json.loads(answer.content)
    return members


def happened(message: Message, *at: datetime, kind: str = "accepted", provider: str = "") -> None:
    """Events of the message at these moments."""
    for moment in at:
        data = {"provider": provider} if provider else {}
        EventFactory(message=message, kind=kind, at=moment, data=data)


@pytest.fixture
def message(api: Api) -> Message:
    return make_message(owner=api.owner)


def test_the_last_day_is_told_unless_asked_otherwise(api: Api) -> None:
    message = stories.accepted(api.owner, "ada@example.org", "bob@example.org")
    stories.answered(stories.handed_over(message, to="sink"))
    told = stats(api)
    assert told["counts"] == {"accepted": 1, "sending": 2, "sent": 2}
    assert told["providers"] == [{"provider": "sink", "counts": {"sending": 2, "sent": 2}}]
    assert told["tags"] == []
    assert told["is_complete"] is True
    assert "series" not in told
    before = datetime.fromisoformat(told["before"])
    assert timezone.now() <= before <= timezone.now() + HOUR
    assert datetime.fromisoformat(told["after"]) == before - timedelta(days=1)


def test_a_period_begins_with_its_first_hour_and_ends_before_its_last(
    api: Api, message: Message
) -> None:
    happened(message, TEN - HOUR, TEN, TEN + HOUR, TEN + 2 * HOUR)
    told = stats(api, after=TEN.isoformat(), before=(TEN + 2 * HOUR).isoformat())
    assert told["counts"] == {"accepted": 2}


def test_parts_of_hours_are_rounded_to_whole_ones_and_the_answer_says_so(
    api: Api, message: Message
) -> None:
    happened(message, TEN, TEN + HOUR, TEN + timedelta(minutes=59))
    told = stats(api, after="2026-11-25T10:30:00Z", before="2026-11-25T12:15:00+02:00")
    assert (told["after"], told["before"]) == ("2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z")
    assert told["counts"] == {"accepted": 2}


def test_dates_are_days_of_utc(api: Api, message: Message) -> None:
    happened(message, TEN)
    assert stats(api, after="2026-11-25", before="2026-11-26")["counts"] == {"accepted": 1}
    assert stats(api, after="2026-11-24", before="2026-11-25")["counts"] == {}


def test_a_series_has_every_hour_also_one_without_events(api: Api, message: Message) -> None:
    happened(message, TEN, TEN + 2 * HOUR)
    period = {"after": TEN.isoformat(), "before": (TEN + 3 * HOUR).isoformat()}
    assert stats(api, interval="hour", **period)["series"] == [
        {"at": "2026-11-25T10:00:00Z", "counts": {"accepted": 1}},
        {"at": "2026-11-25T11:00:00Z", "counts": {}},
        {"at": "2026-11-25T12:00:00Z", "counts": {"accepted": 1}},
    ]


def test_a_series_by_day_has_days_of_utc(api: Api, message: Message) -> None:
    happened(message, TEN, TEN + timedelta(hours=13, minutes=59), TEN + timedelta(hours=14))
    told = stats(api, interval="day", after="2026-11-25T10:00:00Z", before="2026-11-27")
    assert told["series"] == [
        {"at": "2026-11-25T00:00:00Z", "counts": {"accepted": 2}},
        {"at": "2026-11-26T00:00:00Z", "counts": {"accepted": 1}},
    ]


def test_providers_are_told_apart(api: Api, message: Message) -> None:
    happened(message, TEN, TEN, kind="sent", provider="postmark")
    happened(message, TEN, kind="bounced", provider="mailgun")
    told = stats(api, after="2026-11-25", before="2026-11-26")
    assert told["providers"] == [
        {"provider": "mailgun", "counts": {"bounced": 1}},
        {"provider": "postmark", "counts": {"sent": 2}},
    ]


def test_nobody_counts_anothers(api: Api) -> None:
    happened(make_message(), timezone.now(), provider="secret")
    told = stats(api)
    assert (told["counts"], told["providers"], told["tags"]) == ({}, [], [])


def test_stats_take_as_many_queries_however_much_happened(api: Api, message: Message) -> None:
    def count() -> int:
        stats(api, interval="hour")  # what is new is counted, and the token's last use written
        with CaptureQueriesContext(connection) as queries:
            stats(api, interval="hour")
        return len(queries)

    happened(message, timezone.now())
    few = count()
    for hours in range(20):
        happened(message, timezone.now() - hours * HOUR, kind="sent", provider=f"p{hours}")
    assert count() == few


def test_rows_are_found_by_the_users_hours_alone(api: Api) -> None:
    rows = RollUp.objects.filter(owner=api.owner, hour__gte=TEN, hour__lt=TEN + HOUR)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_rollup (owner_id, hour, dimension, name, kind, count)
            SELECT %s, %s::timestamptz + n * interval '1 hour', 'all', '', kind, 1
            FROM generate_series(1, 3000) n, unnest(ARRAY['accepted', 'sending', 'sent']) kind
            """,
            [api.owner.pk, TEN],
        )
        cursor.execute("ANALYZE notifications_rollup")
    plan = rows.explain()
    assert "notifications_rollup_pkey" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("after", "yesterday"),
        ("after", "2026-11-25T10:00:00"),
        ("after", "2026-13-01"),
        ("after", ""),
        ("interval", "week"),
        ("interval", ""),
        ("tag", ""),
        ("tag", "x" * 257),
        ("tag", "nul\0"),
        ("since", "2026-11-25"),
    ],
)
def test_what_cannot_be_is_refused_by_name(api: Api, name: str, value: str) -> None:
    problem = problem_of(api.get("/v1/stats", **{name: value}), 400, "invalid-request")
    assert name in [error["parameter"] for error in problem["errors"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("after", "2999-01-01"),
        ("after", "2020-01-01"),
        ("before", "0001-01-01"),
        ("before", "9999-12-31T23:59:59Z"),
        ("before", "0001-01-01T00:00:00+23:59"),
        ("before", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_a_period_that_there_cannot_be_is_impossible(api: Api, name: str, value: str) -> None:
    problem = problem_of(api.get("/v1/stats", **{name: value}), 422, "impossible-request")
    assert problem["errors"][0]["parameter"] in ("after", "before")


def test_a_period_that_ends_before_it_begins_or_is_too_long_is_refused(api: Api) -> None:
    for after, before in (("2026-11-25", "2026-11-25"), ("2026-01-01", "2026-11-25")):
        answer = api.get("/v1/stats", after=after, before=before)
        problem = problem_of(answer, 422, "impossible-request")
        assert problem["errors"][0]["parameter"] == "after"


def test_stats_need_the_scope_read() -> None:
    problem_of(api_of(UserFactory(), Scope.SEND).get("/v1/stats"), 403, "forbidden")
