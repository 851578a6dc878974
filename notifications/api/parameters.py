"""Reading single query parameters; what cannot be read is refused by name."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

_LONGEST = 9
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
