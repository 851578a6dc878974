"""Statements that the server plans once: those that run all the time."""

from typing import TYPE_CHECKING, cast

from django.db import connection
from django.db.backends.utils import CursorWrapper

if TYPE_CHECKING:
    # the settings name it
    from limbo.postgres.base import DatabaseWrapper


def prepared_cursor() -> CursorWrapper:
    """A cursor of the current connection; see the backend's `prepared_cursor`.

    Give each parameter the same type every time, and say in the statement what a text is
    (`%(ids)s::uuid[]`), or another statement is prepared.
    """
    return cast("DatabaseWrapper", connection).prepared_cursor()
