"""The timed pages answer what they are asked, and are held against their limits."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from benchmarks.admin.figures import as_rows, table, too_slow
from benchmarks.admin.pages import Kind, Page, pages
from benchmarks.admin.timing import Timed, Times
from benchmarks.database import Database
from benchmarks.tables import put
from notifications.models import User
from tests.admin.conftest import signed_in
from tests.made_up import made_up_month


@pytest.fixture
def month(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Database]:
    """A small month, and where it is."""
    with made_up_month(2000, django_db_blocker, tell=lambda *_: None):
        told = connection.get_connection_params()
        place = f"{told['user']}:{told['password']}@{told['host']}:{told['port']}"
        yield Database(f"postgres://{place}/{told['dbname']}")


def test_every_page_has_what_is_expected_of_it(month: Database, db: None) -> None:
    root = signed_in(User.objects.create_superuser("root"))
    for page in pages(month):
        assert page.expected in text_of(root, page), page.label


def text_of(client: Client, page: Page) -> str:
    """The page's answer."""
    answer = client.get(page.path)
    assert answer.status_code == 200
    return answer.content.decode()


def timed(kind: Kind, warm: float, cold: float, look_up: float = 20.0) -> Timed:
    """A page that took so long each time, and the look-up beside it."""
    times = [Times([took] * 3, [look_up] * 3) for took in (warm, cold)]
    return Timed(Page(kind, f"a {kind}", "/"), *times)


def test_a_page_may_take_as_much_longer_as_the_machine_is_slower() -> None:
    rows = as_rows([timed(Kind.SEARCH, 399, 399, 40), timed(Kind.HOME, 100, 599, 40)])
    assert too_slow(rows) == []
    rows = as_rows([timed(Kind.SEARCH, 10, 204), timed(Kind.HOME, 310, 10)])
    assert too_slow(rows) == [
        "search, a search, cold: 204 ms, which is 10.2 times the look-up, more than 10",
        "home, a home, warm: 310 ms, which is 15.5 times the look-up, more than 15",
    ]


def test_the_table_tells_times_and_limits() -> None:
    content: dict[str, Any] = {
        "date": "2026-11-25 10:00 UTC",
        "messages": 1_000_000,
        "events": 5_000_000,
        "gigabytes": 9.5,
        "rounds": 10,
        "versions": {
            "processors": 2,
            "load": 0.1,
            "python": "3.11",
            "postgres": {"server_version": "18", "shared_buffers": "1GB"},
        },
        "rows": as_rows([timed(Kind.SEARCH, 30, 80)]),
    }
    made = table(content, "x.json")
    assert "| search: a search | 30 ms | 1.5 | 80 ms | 4.0 | 10 |" in made
    assert "1,000,000 messages and 5,000,000 events" in made
    paper = put("<!-- admin -->\nformer\n<!-- end -->\n", {"admin": made})
    assert "former" not in paper
    assert made in paper
