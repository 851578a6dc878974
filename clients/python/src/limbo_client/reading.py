"""From JSON to frozen dataclasses, by their fields.

Members that a class does not know are left alone, and what it knows must be there unless it has a
default: a newer Limbo may tell more, never less.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from limbo_client.answers import Answer
from limbo_client.errors import BrokenAnswerError

T = TypeVar("T")

NAME = "name"
"""In a field's metadata: what its member is called, where Python does not allow the name."""


def read_answer(cls: type[T], answer: Answer) -> T:
    """The answer's body as a `cls`. Raises BrokenAnswerError for any other."""
    return read(cls, body_of(answer))


def body_of(answer: Answer) -> Any:
    """The answer's body. Raises BrokenAnswerError where it is not JSON."""
    try:
        return answer.json()
    except ValueError:
        raise BrokenAnswerError("What answered was not Limbo: it sent no JSON.") from None


def read(cls: type[T], members: object) -> T:
    """`members` as a `cls`. Raises BrokenAnswerError where one is missing or of another type."""
    try:
        value: T = _convert(cls, members)
    except (KeyError, TypeError, ValueError) as error:
        told = f"The answer is not as this client knows it ({cls.__name__}: {error!r})."
        raise BrokenAnswerError(told) from None
    return value


def _convert(hint: Any, value: Any) -> Any:
    if is_dataclass(hint):
        return _object(hint, value)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if value is None else _convert(arguments[0], value)
    if origin is tuple:
        return tuple(_convert(arguments[0], item) for item in _typed(list, value))
    if origin is Mapping:
        return {key: _convert(arguments[1], item) for key, item in _typed(dict, value).items()}
    if hint is datetime:
        return datetime.fromisoformat(_typed(str, value))
    return value if hint is Any else _typed(hint, value)


def _object(cls: Any, value: Any) -> Any:
    members = _typed(dict, value)
    read_members = {}
    for name, member, hint, is_required in _shape(cls):
        if is_required or member in members:
            read_members[name] = _convert(hint, members[member])
    return cls(**read_members)


@cache
def _shape(cls: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    """The fields: name, member, type, and whether it must be there."""
    hints = get_type_hints(cls)
    return tuple(
        (
            field.name,
            field.metadata.get(NAME, field.name),
            hints[field.name],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(cls)
    )


def _typed(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
