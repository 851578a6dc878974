"""The filters and tests that a template may use: few, and none that can make much out of little."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import quote

import markupsafe
from jinja2 import Undefined
from jinja2.filters import do_capitalize, do_title

from notifications.intake.templates.variables import Path, Record

MAX_JOINED = 1024 * 1024
"""Characters that the filter `join` makes at most: as many as a body may have."""

Word = Callable[..., Any]


class UnfitValueError(Exception):
    """A value is used as its kind cannot be."""

    def __init__(self, detail: str, path: Path = ()) -> None:
        super().__init__(detail)
        self.path = path
        """Which variable it is, where that is known."""


def demand(value: object) -> None:
    """Raise UndefinedError if `value` is a variable that is missing."""
    if isinstance(value, Undefined):
        str(value)


def refuse(value: object, why: str) -> NoReturn:
    """Raise UnfitValueError for `value`, or UndefinedError if it is missing."""
    demand(value)
    path: Path = getattr(value, "path", ())
    raise UnfitValueError(f"{_kind(value)} cannot be used so: {why}", path)


def _kind(value: object) -> str:
    match value:
        case Record():
            return "An object"
        case list():
            return "A list"
        case str():
            return "A text"
        case None:
            return "Null"
    return "A number"


def shown(value: object) -> str | float:
    """What is written out for `value`: nothing for null; true and false as JSON has them.

    Raises UnfitValueError for lists and objects, UndefinedError for a variable that is missing.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return value
        case None:
            return ""
        case Undefined():
            return str(value)
    refuse(value, "only texts and numbers can be written out")


def _text(value: object) -> str:
    written = shown(value)
    return written if isinstance(written, str) else str(written)


def _escape(value: object) -> markupsafe.Markup:
    return markupsafe.escape(shown(value))


def _length(value: object) -> int:
    if isinstance(value, str | Record | list):
        return len(value)
    refuse(value, "only texts, lists and objects have a length")


def _first(value: object) -> object:
    if isinstance(value, str | list):
        return value[0] if value else ""
    refuse(value, "only texts and lists have a first part")


def _last(value: object) -> object:
    if isinstance(value, str | list):
        return value[-1] if value else ""
    refuse(value, "only texts and lists have a last part")


def _join(value: object, separator: object = "") -> str:
    if not isinstance(value, list):
        refuse(value, "only lists can be joined")
    between, texts = _text(separator), list(map(_text, value))
    # looked at before it is made: a thousand long separators would be
    if len(between) * len(texts) + sum(map(len, texts)) > MAX_JOINED:
        raise UnfitValueError(f"Joined, this has more than {MAX_JOINED} characters")
    return between.join(texts)


def _default(value: object, default_value: object = "", boolean: object = False) -> object:
    if isinstance(value, Undefined):
        return default_value
    return default_value if boolean and not value else value


def _truncate(
    value: object, length: object = 255, killwords: object = False, end: object = "..."
) -> str:
    text, tail = _text(value), _text(end)
    if not isinstance(length, int):
        raise UnfitValueError("The length to truncate to is no whole number")
    if len(text) <= length:
        return text
    short = text[: max(length - len(tail), 0)]
    return (short if killwords else short.rsplit(" ", 1)[0]) + tail


def _remainder(value: object) -> int:
    if isinstance(value, int):
        return value % 2
    refuse(value, "only whole numbers are odd or even")


FILTERS: Mapping[str, Word] = {
    "capitalize": lambda value: do_capitalize(_text(value)),
    "d": _default,
    "default": _default,
    "e": _escape,
    "escape": _escape,
    "first": _first,
    "join": _join,
    "last": _last,
    "length": _length,
    "lower": lambda value: _text(value).lower(),
    "title": lambda value: do_title(_text(value)),
    "trim": lambda value: _text(value).strip(),
    "truncate": _truncate,
    "upper": lambda value: _text(value).upper(),
    "urlencode": lambda value: quote(_text(value)),
}
"""As jinja2's filters of these names, but strict about what they are given."""

TESTS: Mapping[str, Word] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "even": lambda value: _remainder(value) == 0,
    "false": lambda value: value is False,
    "none": lambda value: value is None,
    "odd": lambda value: _remainder(value) == 1,
    "true": lambda value: value is True,
    "undefined": lambda value: isinstance(value, Undefined),
}
"""Tests of jinja2's; none takes an argument."""
