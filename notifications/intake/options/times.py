"""`send_at` and `expires_at`: not before the one, not after the other."""

import re
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from notifications.intake.reader import Reader

LIFETIME = timedelta(hours=24)
"""A message's deadline, from when it may be sent, unless the request names one."""

LONGEST_LIFETIME = timedelta(days=30)
"""The latest deadline that a request may name, from when the message may be sent."""

FURTHEST = timedelta(days=90)
"""How far ahead a message may be scheduled."""

# RFC 3339, which is ISO 8601 in the one form that nobody reads differently; seconds may be left out
_FORM = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_EXAMPLE = "2026-05-03T10:00:00+02:00"


def read_time(reader: Reader, pointer: str, value: object) -> datetime | None:
    """A moment with its offset from UTC."""
    if not isinstance(value, str):
        reader.refuse(pointer, "This must be a string.", "type")
        return None
    match = _FORM.fullmatch(value)
    if match is None:
        reader.refuse(pointer, f"This is no time in ISO 8601, such as {_EXAMPLE}.", "time")
        return None
    if match["offset"] is None:
        told = f"The offset from UTC is missing: a time ends in Z or as in {_EXAMPLE}."
        reader.refuse(pointer, told, "offset")
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        reader.refuse(pointer, "There is no such time.", "time")
        return None


def check_times(reader: Reader, *, send_at: datetime | None, expires_at: datetime | None) -> None:
    """Refuse what is past, too far ahead, or the wrong way round."""
    now = timezone.now()
    if send_at is not None:
        _check_send_at(reader, send_at, now)
    if expires_at is None:
        return
    begins = send_at or now
    if expires_at <= begins:
        told = "This must be after send_at." if send_at else "This is past."
        reader.hinder("/expires_at", told, "past")
    elif expires_at > begins + LONGEST_LIFETIME:
        told = f"This is more than {LONGEST_LIFETIME.days} days after the message may be sent."
        reader.hinder("/expires_at", told, "too_late")


def _check_send_at(reader: Reader, send_at: datetime, now: datetime) -> None:
    if send_at <= now:
        reader.hinder("/send_at", "This is past.", "past")
    elif send_at > now + FURTHEST:
        told = f"This is more than {FURTHEST.days} days ahead."
        reader.hinder("/send_at", told, "too_late")
