"""PostgreSQL's arrays made at once, for the statements that carry hundreds of rows.

The driver writes an array element by element, through the adapter of each one's type, which cost
a fifth of a worker's time. What these return is one parameter, which the driver passes on as a
whole, to be cast in the statement (`%(ids)s::uuid[]`). All are text, but for ids, whose text is
what takes the server longest to read.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from limbo.postgres.uuid_array import UuidArray
from notifications.models.ids import AnyId

T = TypeVar("T", str, float | None)


def id_array(ids: Iterable[AnyId]) -> UuidArray:
    """An array of ids."""
    return UuidArray.of(ids)


def plain_array(values: Iterable[float | None]) -> str:
    """An array of numbers or booleans; None is NULL."""
    return _array(values, lambda value: "NULL" if value is None else str(value))


def sparse_array(values: Sequence[float | None]) -> str:
    """As `plain_array`; but where all are 0, False or None it is empty, and they are left out."""
    return plain_array(values) if any(values) else "{}"


def text_array(values: Iterable[str]) -> str:
    """An array of strings, whatever they hold but NUL, which no text of PostgreSQL's can."""
    return _array(values, _quoted)


def json_array(values: Sequence[Mapping[str, Any]]) -> str:
    """An array of objects in JSON; one that is there again and again is written once."""
    different = {id(value): value for value in values}
    if len(different) == len(values):
        return json.dumps(values)
    written = {key: json.dumps(value) for key, value in different.items()}
    return "[" + ",".join([written[id(value)] for value in values]) + "]"


def _array(values: Iterable[T], write: Callable[[T], str]) -> str:
    """Each different value is written once: in most columns of a batch all are the same.

    They are of one type: 1 and True would not be told apart.
    """
    values = list(values)
    written = {value: write(value) for value in set(values)}
    return "{" + ",".join([written[value] for value in values]) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
