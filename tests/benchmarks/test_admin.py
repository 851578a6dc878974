"""The timed pages answer what they are asked, and are held against their limits."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoDbBlocker

from benchmarks.admin.figures import REFERENCE_MS, as_rows, table, too_slow
from benchmarks.admin.pages import Kind, Page, pages
from benchmarks.admin.timing import Timed
from benchmarks.database import Database
from benchmarks.tables import put
from limbo.local.demo_data.making import make
from notifications.models import User
from tests.admin.conftest import signed_in

LOOK_UP = "/admin/"


@pytest.fixture
def month(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Database]:
    """A small month, and where it is."""
    with django_db_blocker.unblock():
        from django.db import connection

        make(2000, add=False, stays=True, tell=lambda *_: None, seed=7)
        told = connection.get_connection_params()
        yield Database(
            f"postgres://{told['user']}:{told['password']}@{told['host']}:{told['port']}/{told['dbname']}"
        )
        call_command("flush", verbosity=0, interactive=False)


def test_every_page_has_what_is_expected_of_it(month: Database, db: None) -> None:
    root = signed_in(User.objects.create_superuser("root"))
    for page in pages(month, LOOK_UP):
        if page.kind is not Kind.LOOK_UP:
            assert page.expected in text_of(root, page), page.label


def text_of(client: Client, page: Page) -> str:
    """The page's answer."""
    answer = client.get(page.path)
    assert answer.status_code == 200
    return answer.content.decode()


def timed(kind: Kind, warm: float, cold: float) -> Timed:
    """A page that took so long each time."""
    return Timed(Page(kind, f"a {kind}", "/"), [warm] * 3, [cold] * 3)


def test_a_page_may_take_as_much_longer_as_the_machine_is_slower() -> None:
    look_up = timed(Kind.LOOK_UP, 2 * REFERENCE_MS, 2 * REFERENCE_MS)
    rows = as_rows([look_up, timed(Kind.SEARCH, 399, 399), timed(Kind.HOME, 100, 599)])
    assert too_slow(rows) == []
    rows = as_rows([look_up, timed(Kind.SEARCH, 10, 401), timed(Kind.HOME, 601, 10)])
    assert too_slow(rows) == [
        "search, a search: 401 ms cold, more than 400",
        "home, a home: 601 ms warm, more than 600",
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
        "rows": as_rows([timed(Kind.LOOK_UP, 20, 20), timed(Kind.SEARCH, 30, 80)]),
    }
    made = table(content, "x.json")
    assert "| search: a search | 30 ms | 80 ms | 200 ms | 1.5 |" in made
    assert "1,000,000 messages and 5,000,000 events" in made
    paper = put("<!-- admin -->\nformer\n<!-- end -->\n", {"admin": made})
    assert "former" not in paper
    assert made in paper
