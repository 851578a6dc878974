"""Results as text."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from limbo_client.reading import NAME


def as_json(result: object) -> str:
    """The result as the API tells it, for people to read as well."""
    return json.dumps(_plain(result), ensure_ascii=False, indent=2)


def as_line(result: object) -> str:
    """The same in one line."""
    return json.dumps(_plain(result), ensure_ascii=False)


def moment(at: datetime) -> str:
    """A moment to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor or colour it: it may be a stranger's."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {
            field.metadata.get(NAME, field.name): _plain(getattr(value, field.name))
            for field in fields(value)
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
