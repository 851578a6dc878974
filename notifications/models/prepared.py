"""Statements that the server plans once: those that run all the time."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from django.db import connection
from django.db.backends.utils import CursorWrapper

if TYPE_CHECKING:
    # the settings name it
    from limbo.postgres.base import DatabaseWrapper

_PLACE = re.compile(r"%\((\w+)\)s|%%")


def prepared_cursor(*, is_numbered: bool = False) -> CursorWrapper:
    """A cursor of the current connection; see the backend's `prepared_cursor`.

    Give each parameter the same type every time, and say in the statement what a text is
    (`%(ids)s::uuid[]`), or another statement is prepared.
    """
    return cast("DatabaseWrapper", connection).prepared_cursor(is_numbered=is_numbered)


class LongStatement:
    """A prepared statement whose parameters' places are found once.

    psycopg looks for them at every execution where a statement has more than 4096 octets, which
    takes longer than sending it.
    """

    def __init__(self, text: str) -> None:
        """`text` is written as for any cursor: `%(name)s` for a parameter, `%%` for a percent."""
        names = dict.fromkeys(name for name in _PLACE.findall(text) if name)
        self._names = tuple(names)
        numbers = {name: f"${number}" for number, name in enumerate(names, start=1)}
        self._text = _PLACE.sub(lambda place: numbers.get(place[1], "%"), text)

    def run(self, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute it, and fetch its rows. The rules of `prepared_cursor` hold."""
        with prepared_cursor(is_numbered=True) as cursor:
            cursor.execute(self._text, [parameters[name] for name in self._names])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
