"""A persistent connection is used as long as it works, and no longer."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, connections

from limbo.postgres.base import DatabaseWrapper
from limbo.postgres.uuid_array import UuidArray

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(postgres_url: str) -> Iterator[DatabaseWrapper]:
    """A persistent connection of one's own, checked as the web process checks its."""
    own = connections.create_connection("default")
    assert isinstance(own, DatabaseWrapper)
    own.settings_dict = {**connection.settings_dict, "CONN_HEALTH_CHECKS": True}
    own.connect()
    yield own
    own.close()


def answer_of(kept: DatabaseWrapper) -> int:
    """What a request of its own asks the database, by way of the check that comes before it."""
    kept.close_if_unusable_or_obsolete()
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def end(pid: int) -> None:
    """Have the server end a connection, and wait until it has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        assert cursor.fetchone() == (True,)


def test_a_connection_that_works_is_used_again(kept: DatabaseWrapper) -> None:
    assert len({answer_of(kept) for _ in range(3)}) == 1


def test_a_connection_that_the_server_ended_is_replaced(kept: DatabaseWrapper) -> None:
    first = answer_of(kept)
    end(first)
    assert answer_of(kept) != first


def test_a_busy_connection_is_not_asked_each_time(
    kept: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = psycopg.ClientCursor.execute

    def counted(self: Any, query: str, *rest: Any, **more: Any) -> Any:
        asked.append(query)
        return plain(self, query, *rest, **more)

    monkeypatch.setattr(psycopg.ClientCursor, "execute", counted)
    for _ in range(20):
        answer_of(kept)
    assert asked.count("SELECT 1") <= 2
    assert len(asked) >= 20


def test_a_prepared_statement_is_planned_once_for_a_connection(kept: DatabaseWrapper) -> None:
    for number in range(3):
        with kept.prepared_cursor() as cursor:
            cursor.execute("SELECT %s::int + 1", [number])
            assert cursor.fetchone() == (number + 1,)
    with kept.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements")
        assert cursor.fetchall() == [(3, 0)]


def test_a_plan_that_was_made_for_an_empty_table_does_not_read_all_of_a_large_one(
    kept: DatabaseWrapper,
) -> None:
    find = "SELECT id FROM grows WHERE id = %s::int"
    with kept.prepared_cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE grows (id int PRIMARY KEY)")
        cursor.execute("INSERT INTO grows VALUES (1)")
        cursor.execute("ANALYZE grows")
        cursor.execute(find, ["1"])
        cursor.execute("EXPLAIN " + find, ["1"])
        assert "Index" in str(cursor.fetchall())


def test_other_cursors_prepare_nothing(kept: DatabaseWrapper) -> None:
    for _ in range(10):
        answer_of(kept)
    with kept.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_ids_reach_the_server_as_they_are_whatever_their_form(
    kept: DatabaseWrapper, count: int
) -> None:
    ids = [uuid4() for _ in range(count)]
    forms: list[object] = [str(id_) if number % 2 else id_ for number, id_ in enumerate(ids)]
    with kept.prepared_cursor() as cursor:
        cursor.execute("SELECT * FROM unnest(%s::uuid[])", [UuidArray.of(forms)])
        assert [row[0] for row in cursor.fetchall()] == ids


def test_what_is_no_id_reaches_no_server() -> None:
    for text in ("", "42", f"{UUID(int=1)}00", "no id"):
        with pytest.raises(ValueError, match=r"is no UUID|[Nn]on-hexadecimal|Odd-length"):
            UuidArray.of([UUID(int=7), text])
