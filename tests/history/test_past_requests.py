"""Reading a user's request log: what is found, how far is looked, and by which index."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.history import past_requests as module
from notifications.history.past_requests import Past, Wanted, past_requests
from notifications.models import RequestLog, User
from tests.factories import ApiTokenFactory, RequestLogFactory, UserFactory

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ada() -> User:
    return UserFactory()


def logged(owner: User, *paths: str, **fields: object) -> None:
    for path in paths:
        RequestLogFactory(owner=owner, path=path, **fields)
        RequestLogFactory(path=path, **fields)


def paths(page: Past) -> list[str]:
    return [row.path for row in page.rows]


def test_conditions_hold_together(ada: User) -> None:
    token = ApiTokenFactory(owner=ada, name="shop")
    logged(ada, "/v1/mail", status=200, token_id=token.id)
    logged(ada, "/v1/mail/batch", status=422, token_id=token.id)
    logged(ada, "/v1/mail/lost", status=404)
    logged(ada, "/v1/stats", status=503)
    assert paths(past_requests(ada, Wanted(), size=9)) == [
        "/v1/stats",
        "/v1/mail/lost",
        "/v1/mail/batch",
        "/v1/mail",
    ]
    found = past_requests(ada, Wanted(status_class=4, path="mail/"), size=9)
    assert paths(found) == ["/v1/mail/lost", "/v1/mail/batch"]
    found = past_requests(ada, Wanted(status_class=4, token=token.id), size=9)
    assert paths(found) == ["/v1/mail/batch"]
    assert [vars(row)["token_name"] for row in found.rows] == ["shop"]
    # a part of a path is no pattern
    assert paths(past_requests(ada, Wanted(path="m_il"), size=9)) == []


@pytest.mark.parametrize("lines", [1, 2, 7, 64])
def test_a_period_is_exact_wherever_in_the_log_it_lies(ada: User, lines: int) -> None:
    for hour in range(lines):
        logged(ada, f"/{hour}", at=TEN + hour * HOUR)
    for first in (-1, 0, lines // 2, lines - 1, lines):
        period = Wanted(since=TEN + first * HOUR, until=TEN + (first + 2) * HOUR)
        expected = [f"/{hour}" for hour in (first + 1, first) if 0 <= hour < lines]
        assert paths(past_requests(ada, period, size=9)) == expected


def test_a_line_that_was_numbered_late_is_within_its_period(ada: User) -> None:
    logged(ada, "/later", at=TEN + timedelta(minutes=2))
    logged(ada, "/slow", at=TEN - timedelta(minutes=2))
    assert paths(past_requests(ada, Wanted(until=TEN), size=9)) == ["/slow"]
    assert paths(past_requests(ada, Wanted(since=TEN), size=9)) == ["/later"]


def test_pages_lead_to_each_other_though_looking_stops_between(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKED_THROUGH", 3)
    logged(ada, "/rare", *["/usual"] * 7, "/rare", "/usual")
    rare = Wanted(path="rare")
    first = past_requests(ada, rare, size=2)
    assert paths(first) == ["/rare"]
    assert first.newer is None
    assert first.looked_to is not None
    second = past_requests(ada, rare, before=first.older, size=2)
    third = past_requests(ada, rare, before=second.older, size=2)
    assert (paths(second), paths(third)) == ([], [])
    fourth = past_requests(ada, rare, before=third.older, size=2)
    assert paths(fourth) == ["/rare"]
    assert (fourth.older, fourth.looked_to) == (None, None)
    back = past_requests(ada, rare, after=fourth.newer, size=2)
    assert (paths(back), back.older is None) == ([], False)
    assert paths(past_requests(ada, rare, before=back.older, size=2)) == ["/rare"]
    ways = []
    while back.newer:
        back = past_requests(ada, rare, after=back.newer, size=2)
        ways.extend(paths(back))
    assert ways == ["/rare"]


def test_no_page_of_a_plain_list_repeats_or_leaves_out_a_line(ada: User) -> None:
    logged(ada, *(f"/{number}" for number in range(5)))
    first = past_requests(ada, Wanted(), size=2)
    second = past_requests(ada, Wanted(), before=first.older, size=2)
    third = past_requests(ada, Wanted(), before=second.older, size=2)
    pages = [["/4", "/3"], ["/2", "/1"], ["/0"]]
    assert [paths(first), paths(second), paths(third)] == pages
    assert (first.newer, third.older) == (None, None)
    back = past_requests(ada, Wanted(), after=third.newer, size=2)
    assert paths(back) == pages[1]
    assert paths(past_requests(ada, Wanted(), after=back.newer, size=2)) == pages[0]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(path="rare"), "requestlog_owner"),
        (Wanted(status_class=5), "requestlog_refused"),
        (Wanted(status_class=4, since=TEN), "requestlog_refused"),
    ],
)
def test_a_page_is_read_from_an_index_that_gives_its_order(
    ada: User, wanted: Wanted, index: str
) -> None:
    owners = [ada, *UserFactory.create_batch(39)]
    line = {"method": "GET", "path": "/v1/mail", "duration_ms": 7, "at": TEN}
    RequestLog.objects.bulk_create(
        RequestLog(owner=owner, status=status, **line)
        for _ in range(20)
        for owner in owners
        for status in (200, 200, 200, 404, 503)
    )
    with CaptureQueriesContext(connection) as captured:
        past_requests(ada, wanted, size=5)
    (sql,) = [query["sql"] for query in captured if "token_prefix" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_requestlog")
        # on a handful of rows reading all of it, or sorting, would be cheaper
        for way in ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert f"using {index}" in plan
    assert "Sort" not in plan
