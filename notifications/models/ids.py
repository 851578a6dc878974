"""Ids: as text, and what they tell, since UUIDv7 begins with the time at which it was made."""

from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from uuid_utils import uuid7

Id: TypeAlias = str
"""A UUID in the form in which PostgreSQL and `str()` write it.

On a message's way its ids are only passed on, compared and written. As an object one takes three
times as long to read, and its hash and its equality are made in Python at each look-up, of which a
message needs some thirty. Text and object are never equal, and mypy refuses the one where the other
is wanted.
"""

AnyId: TypeAlias = UUID | Id
"""What is only written may come in either form: models have objects."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 2**48 - 1

SKEW = timedelta(hours=1)
"""By which the clocks of the machine that made an id and of the database may differ."""


def first_id(at: datetime, *, skew: timedelta = timedelta()) -> UUID:
    """The least UUIDv7 that can have been made at `at` (RFC 9562, 5.7: 48 bits of milliseconds).

    `skew` is by how much the clock of whoever makes ids may be wrong, towards later or earlier.
    """
    milliseconds = (at - _EPOCH + skew) // timedelta(milliseconds=1)
    return UUID(int=min(max(milliseconds, 0), _LAST) << 80)


def new_id() -> Id:
    """A new id, which sorts after those that were made before it."""
    return str(uuid7())
