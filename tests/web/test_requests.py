"""The page of one's requests."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from notifications.history import past_requests
from notifications.intake.tokens import issue_token
from notifications.models import RequestLog, User
from notifications.web import requests
from tests.api.conftest import api_of
from tests.factories import RequestLogFactory

PAGE = "/requests/"
TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)


def logged(owner: User, path: str = "/v1/mail", **fields: Any) -> RequestLog:
    row: RequestLog = RequestLogFactory(owner=owner, path=path, **fields)
    return row


def paths(client: Client, query: str = "") -> list[str]:
    """The paths on the page, from the top."""
    page = client.get(PAGE + query).content.decode()
    return [unescape(path) for path in re.findall(r"</strong>\s*(\S+)\s*</p>", page)]


def text_of(page: bytes) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def test_who_asked_nothing_is_shown_how(signed_in: Client) -> None:
    assertContains(signed_in.get(PAGE), "No request yet")


def test_a_line_tells_what_was_asked_and_leads_to_its_message(signed_in: Client, ada: User) -> None:
    api = api_of(ada)
    answer = api.post()
    row = RequestLog.objects.get()
    page = signed_in.get(PAGE)
    told = text_of(page.content)
    prefix = ada.api_tokens.get().prefix
    assert f"200 POST /v1/mail test ({prefix}…) · {row.duration_ms} ms · from 127.0.0.1" in told
    assert answer.headers["X-Request-Id"] in told
    assertContains(page, f'href="/messages/{row.message_id}/"')
    assertContains(page, "<time datetime=")


def test_the_newest_stands_first_and_others_are_not_there(
    signed_in: Client, ada: User, eve: User
) -> None:
    for path in ("/v1/first", "/v1/second"):
        logged(ada, path)
        logged(eve, "/v1/not-for-ada")
    assert paths(signed_in) == ["/v1/second", "/v1/first"]
    assert paths(signed_in, "?path=not-for") == []


def test_each_filter_narrows_the_list(signed_in: Client, ada: User, eve: User) -> None:
    token, _ = issue_token(owner=ada, name="shop")
    logged(ada, "/v1/old", at=TEN - timedelta(days=2))
    logged(ada, "/v1/a%20b", token_id=token.id, at=TEN)
    logged(ada, "/v1/refused", status=422, at=TEN)
    logged(ada, "/v1/failed", status=503, at=TEN + timedelta(hours=1))
    assert paths(signed_in, "?status=4") == ["/v1/refused"]
    assert paths(signed_in, "?status=5") == ["/v1/failed"]
    assert paths(signed_in, "?path=a+b") == ["/v1/a%20b"]
    assert paths(signed_in, "?path=/v1/old%3Fq=x") == ["/v1/old"]
    assert paths(signed_in, f"?token={token.id}") == ["/v1/a%20b"]
    period = "?since=2026-11-25T10:00&until=2026-11-25T11:00"
    assert paths(signed_in, period) == ["/v1/refused", "/v1/a%20b"]
    assert paths(signed_in, f"{period}&status=4") == ["/v1/refused"]
    assertContains(signed_in.get(f"{PAGE}?status=5&path=old"), "Nothing fits")


def test_the_filter_offers_ones_own_tokens(signed_in: Client, ada: User, eve: User) -> None:
    issue_token(owner=ada, name="my shop")
    issue_token(owner=eve, name="her shop")
    page = signed_in.get(f"{PAGE}?status=2")
    assertContains(page, "my shop (lk_")
    assertNotContains(page, "her shop")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("status=9", "9 is not one of the available choices"),
        (f"token={uuid4()}", "is not one of the available choices"),
        ("path=%00", "Null characters are not allowed"),
        ("since=yesterday", "Give a date and a time"),
        ("until=0001-01-01T00:00", "Give a time from the years 2000 to 2999"),
        ("since=9999-12-31T23:59", "Give a time from the years 2000 to 2999"),
        ("since=2026-11-25T10:00&until=2026-11-25T10:00", "must be later than the beginning"),
    ],
)
def test_what_cannot_be_read_is_told_and_not_applied(
    signed_in: Client, ada: User, query: str, told: str
) -> None:
    logged(ada, at=TEN + timedelta(minutes=1))
    page = signed_in.get(f"{PAGE}?{query}")
    assertContains(page, told)
    assertContains(page, 'role="alert"')
    assert len(paths(signed_in, f"?{query}")) == 1


@pytest.mark.parametrize("query", ["before=x", "after=0", "before=99999999999999999999"])
def test_a_cursor_that_is_none_leads_to_the_first_page(
    signed_in: Client, ada: User, query: str
) -> None:
    logged(ada)
    assert paths(signed_in, f"?{query}") == ["/v1/mail"]


def test_pages_lead_to_each_other_and_say_how_far_was_looked(
    signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "PAGE", 2)
    monkeypatch.setattr(past_requests, "LOOKED_THROUGH", 3)
    for number in range(5):
        logged(ada, f"/v1/{number}")
    assert paths(signed_in) == ["/v1/4", "/v1/3"]
    first = signed_in.get(f"{PAGE}?path=/0")
    assertContains(first, "Nothing so far")
    assertContains(first, "as far as")
    (older,) = re.findall(r'rel="next"\s+href="([^"]+)"', first.content.decode())
    assert paths(signed_in, unescape(older)) == ["/v1/0"]


def test_what_clients_wrote_is_shown_as_text(signed_in: Client, ada: User) -> None:
    logged(ada, "/v1/<script>alert(1)</script>")
    assertNotContains(signed_in.get(PAGE), "<script>alert")
    assertNotContains(signed_in.get(f"{PAGE}?path=<script>alert"), "<script>alert")


@pytest.mark.parametrize("lines", [1, 30])
@pytest.mark.parametrize(
    ("query", "queries"), [("", 4), ("?status=4&path=mail", 5), ("?since=2026-11-25T10:00", 5)]
)
def test_the_page_takes_as_few_queries_however_long_the_log_is(
    signed_in: Client,
    ada: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    lines: int,
    query: str,
    queries: int,
) -> None:
    token, _ = issue_token(owner=ada, name="shop")
    for _ in range(lines):
        logged(ada, token_id=token.id, status=404)
    # session, user, tokens, the lines; how far is looked, and where the period begins
    with django_assert_num_queries(queries):
        signed_in.get(PAGE + query)
