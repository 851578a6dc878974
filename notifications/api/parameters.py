"""Reading single query parameters; what cannot be read is refused by name."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from notifications.intake.addresses import AddressError, read_mailbox

LONGEST_ADDRESS = 320
"""Characters: no address has more (RFC 5321, 4.5.3.1)."""


class ImpossibleParameterError(ValidationError):
    """A parameter keeps the description, and means nothing: an address that is none, a period that
    ends before it begins."""

    status_code = 422


_LONGEST = 10
"""Digits of a number: none that is asked for has as many."""


def whole_number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """The parameter as a number from `least` to `most`. Raises ValidationError naming it."""
    text = request.query_params.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST else -1
    if not least <= number <= most:
        raise ValidationError({name: [f"This must be a number from {least} to {most}."]})
    return number


def moment(request: Request, name: str) -> datetime | None:
    """The parameter as a moment in UTC; None if it is not given. Raises ValidationError naming it.

    It is ISO 8601 with an offset, or a date, which is its beginning in UTC.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return read_moment(text)
    except ValueError:
        message = (
            "This must be a date, or a time with its offset (ISO 8601), such as "
            "2026-11-25T10:00:00Z; a + is written %2B."
        )
        raise ValidationError({name: [message]}) from None


def line(request: Request, name: str, *, longest: int) -> str | None:
    """The parameter as text; None if it is not given. Raises ValidationError naming it.

    It has at most `longest` characters, and no NUL, which the database could not compare.
    """
    text = request.query_params.get(name)
    if text is not None and not 0 < len(text) <= longest:
        raise ValidationError({name: [f"This must have 1 to {longest} characters."]})
    if text is not None and "\0" in text:
        raise ValidationError({name: ["This must not have the character NUL."]})
    return text


def address(request: Request, name: str) -> str | None:
    """The parameter as a bare address, read as a submission's is; None if it is not given.

    Raises ValidationError for one that is too long, ImpossibleParameterError for no address.
    """
    text = line(request, name, longest=LONGEST_ADDRESS)
    try:
        return None if text is None else read_mailbox(text).address
    except AddressError as error:
        raise ImpossibleParameterError({name: [str(error)]}) from None


def one_of(request: Request, name: str, values: Collection[str]) -> str | None:
    """The parameter as one of `values`; None if it is not given. Raises ValidationError."""
    text = request.query_params.get(name)
    if text is not None and text not in values:
        raise ValidationError({name: [f"This must be one of {', '.join(sorted(values))}."]})
    return text


def read_moment(text: str) -> datetime:
    """A moment of ISO 8601 with an offset, or the beginning of a day in UTC, as one in UTC.

    Raises ValueError for anything else.
    """
    if len(text) == len("2026-11-25"):
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(text)
    try:
        # PostgreSQL takes no offset beyond 15:59
        return read.astimezone(UTC)
    except OverflowError:
        # at the ends of the calendar the hour makes no difference
        return read.replace(tzinfo=UTC)
