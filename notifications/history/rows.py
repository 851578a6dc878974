"""Asking for rows by a statement that the server plans anew each time.

Such are those that answer people: a plan that holds for one user or word is a bad one for another.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection


def fetch_rows(query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of the query's answer."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
