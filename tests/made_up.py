"""A made-up month in the test database, for the tests that want one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from pytest_django import DjangoDbBlocker

from limbo.local.demo_data.making import make
from limbo.local.demo_data.rows import COLUMNS

_MADE = (
    "user",
    "provider",
    "eventqueue",
    "eventposition",
    "follower",
    "rollup",
    "recentrollup",
    "messageterm",
    "knownterm",
    *COLUMNS,
)


@contextmanager
def made_up_month(
    count: int, blocker: DjangoDbBlocker, *, tell: Callable[[str, int, int], None]
) -> Iterator[None]:
    """`count` messages, committed; they are gone in the end, and nothing of the migrations'."""
    with blocker.unblock():
        make(count, add=False, stays=True, tell=tell, seed=8)
        yield
        tables = ", ".join(f"notifications_{name}" for name in _MADE)
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {tables} CASCADE")
