"""A long statement is executed as it was written, and planned once."""

import pytest
from django.db import connection
from psycopg.types.numeric import Int4

from notifications.models.prepared import LongStatement

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENT = LongStatement(
    "SELECT %(low)s::int + %(high)s::int, %(high)s::int %% %(low)s::int, 'a%%', %(word)s::text"
)


def test_each_parameter_comes_to_all_its_places() -> None:
    rows = STATEMENT.run({"high": Int4(17), "low": Int4(5), "word": "it's $1 %s"})
    assert rows == [(22, 2, "a%", "it's $1 %s")]


def test_it_is_planned_once() -> None:
    for number in range(1, 4):
        STATEMENT.run({"high": Int4(17), "low": Int4(number), "word": ""})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE '%a\\%%%'"
        )
        assert cursor.fetchall() == [(3,)]


def test_a_parameter_that_is_missing_is_named() -> None:
    with pytest.raises(KeyError, match="word"):
        STATEMENT.run({"high": Int4(17), "low": Int4(5)})
