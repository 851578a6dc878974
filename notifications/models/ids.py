"""What the ids tell: UUIDv7 begins with the time at which it was made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

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
