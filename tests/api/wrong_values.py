"""Values that a form of the description does not allow, each with what is wrong with it."""

from collections.abc import Iterator
from typing import Any

_ONE_OF_EACH: dict[str, Any] = {
    "number": 1.5,
    "boolean": True,
    "string": "nonsense",
    "array": [7],
    "object": {"a": [7]},
}

_LONGEST = 100_000
"""Beyond it are tests of their own."""


def wrong_values(form: dict[str, Any], right: Any) -> Iterator[tuple[str, Any]]:
    """What is wrong, and a value; `right` is one that is not, if there is one."""
    alternatives = form.get("oneOf", [form])
    types = {name for one in alternatives for name in _types(one)}
    for name, value in _ONE_OF_EACH.items():
        if name not in types:
            yield f"is a {name}", value
    for one in alternatives:
        yield from _out_of_bounds(one, right)


def _types(form: dict[str, Any]) -> set[str]:
    types = form.get("type", list(_ONE_OF_EACH))
    return {types} if isinstance(types, str) else set(types)


def _out_of_bounds(form: dict[str, Any], right: Any) -> Iterator[tuple[str, Any]]:
    if "enum" in form:
        yield "is none of the choices", "nonsense"
    if form.get("minLength"):
        yield "is empty", ""
    if form.get("maxLength", _LONGEST) < _LONGEST:
        yield "is too long", "a" * (form["maxLength"] + 1)
    if "maxItems" in form:
        yield "has too many", right[:1] * (form["maxItems"] + 1)
    if form.get("minItems"):
        yield "has too few", []
    if "maxProperties" in form:
        yield "has too many", {f"a{n}": "x" for n in range(form["maxProperties"] + 1)}
    if "minimum" in form:
        yield "is too small", form["minimum"] - 1
    if "maximum" in form:
        yield "is too large", form["maximum"] + 1
    if form.get("format") == "date-time":
        yield "has no offset", "2090-05-03T10:00:00"
        yield "is no time", "tomorrow"
        yield "is no day", "2090-02-30T10:00:00Z"
