"""How much a user may submit: two token buckets, taken from in the submission's own statement.

One bucket holds requests and refills by so many a second, the other holds messages and refills by a
day's quota in a day; a full one allows a second's, or a day's, at once. A day has no beginning at
which everybody starts anew: what was used comes back steadily.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from psycopg.types.numeric import Int8

from notifications.models import SendingLimit, User
from notifications.models.errors import LimboError

DAY_SECONDS = 86_400

_HAS_LIMITS = """
EXISTS (
    SELECT FROM notifications_sendinglimit WHERE owner_id = %(owner)s
        AND (requests_per_second IS NOT NULL OR messages_per_day IS NOT NULL)
)
"""

# `b`: a row where the user has limits of his own, or where there are limits for all; no row else,
# and then nothing is locked or written. The clock is read when the row is locked, not when the
# transaction began: it may have waited for another one.
ALLOWANCE = f"""
b AS (
    INSERT INTO notifications_sendinglimit AS b
        (owner_id, requests_left, messages_left, is_within, filled_at)
    SELECT %(owner)s, coalesce(%(rate)s::bigint, 1e9) - 1, CASE WHEN fits THEN quota - count
        ELSE quota END, fits, clock_timestamp()
    FROM (
        SELECT *, count <= quota AS fits FROM (
            SELECT coalesce(%(quota)s::bigint, 1e15) AS quota, %(count)s::bigint AS count
        ) asked
    ) fresh
    WHERE %(rate)s::bigint IS NOT NULL OR %(quota)s::bigint IS NOT NULL
        OR {_HAS_LIMITS}
    ON CONFLICT (owner_id) DO UPDATE SET
        (requests_left, messages_left, is_within, filled_at) = (
            SELECT requests - CASE WHEN is_within THEN 1 ELSE 0 END,
                messages - CASE WHEN is_within THEN %(count)s::bigint ELSE 0 END, is_within, at
            FROM (
                SELECT *, requests >= 1 AND messages >= %(count)s::bigint AS is_within
                FROM (
                    SELECT at, least(rate, b.requests_left + passed * rate) AS requests,
                        least(quota, b.messages_left + passed * quota / {DAY_SECONDS}) AS messages
                    FROM (
                        SELECT clock_timestamp() AS at,
                            coalesce(b.requests_per_second, %(rate)s::bigint, 1e9)::float8 AS rate,
                            coalesce(b.messages_per_day, %(quota)s::bigint, 1e15)::float8 AS quota,
                            CASE WHEN b.filled_at IS NULL THEN {DAY_SECONDS} ELSE
                                greatest(0, extract(epoch FROM clock_timestamp() - b.filled_at))
                            END::float8 AS passed
                    ) now
                ) filled
            ) asked
        )
    RETURNING is_within, requests_left, messages_left,
        coalesce(requests_per_second, %(rate)s::bigint) AS rate,
        coalesce(messages_per_day, %(quota)s::bigint) AS quota
)
"""  # noqa: S608 - made of constants

WITHIN = "coalesce((SELECT is_within FROM b), true)"
"""The statement stores what it stores where this holds."""

UNLIMITED = f"NOT {_HAS_LIMITS}"
"""The same in a statement without ALLOWANCE, where no limits hold for all."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit, and how it stands."""

    name: str
    size: int
    """How many a full one allows; so many come back in `window`."""
    window: int
    """Seconds."""
    left: float

    @property
    def whole_left(self) -> int:
        """How many may be taken now."""
        return max(0, math.floor(self.left))

    @property
    def full_in(self) -> int:
        """Seconds until it is full."""
        return self.seconds_until(self.size)

    def seconds_until(self, count: float) -> int:
        """Seconds until it has so many."""
        return max(0, math.ceil((count - self.left) * self.window / self.size))


class LimitReachedError(LimboError):
    """The user may not submit so much now; nothing was stored."""

    def __init__(self, buckets: tuple[Bucket, ...], *, count: int) -> None:
        super().__init__("a limit is reached")
        self.buckets = buckets
        asked = {REQUESTS: 1, MESSAGES: count}
        self.reached = next(b for b in buckets if b.left < asked[b.name])
        """The limit that it would go beyond."""
        self.needed = asked[self.reached.name]

    @property
    def is_ever_possible(self) -> bool:
        """Whether waiting helps: a full bucket would allow it."""
        return self.needed <= self.reached.size

    @property
    def retry_after(self) -> int:
        """Seconds until it would be within the limits; at least one."""
        return max(1, self.reached.seconds_until(self.needed))


REQUESTS = "requests"
MESSAGES = "messages"


def allowance_parameters(count: int) -> Mapping[str, Any]:
    """The statement's parameters beside `owner`, for so many messages."""
    rate, quota = settings.LIMBO_REQUESTS_PER_SECOND, settings.LIMBO_MESSAGES_PER_DAY
    return {
        "count": Int8(count),
        "rate": Int8(rate) if rate else None,
        "quota": Int8(quota) if quota else None,
    }


def hold_limits_for_all() -> bool:
    """Whether there are limits for whoever has none of his own."""
    return bool(settings.LIMBO_REQUESTS_PER_SECOND or settings.LIMBO_MESSAGES_PER_DAY)


ALLOWANCE_COLUMNS = "b.is_within, b.requests_left, b.messages_left, b.rate, b.quota"


def read_allowance(row: tuple[Any, ...], *, count: int) -> tuple[Bucket, ...]:
    """The limits that hold, from ALLOWANCE_COLUMNS. Raises LimitReachedError beyond one."""
    is_within, requests_left, messages_left, rate, quota = row
    buckets = []
    if rate is not None:
        buckets.append(Bucket(REQUESTS, rate, 1, requests_left))
    if quota is not None:
        buckets.append(Bucket(MESSAGES, quota, DAY_SECONDS, messages_left))
    if is_within is False:
        raise LimitReachedError(tuple(buckets), count=count)
    return tuple(buckets)


def allowance_of(owner: User) -> tuple[Bucket, ...]:
    """The owner's limits as they stand now; nothing is taken from them. One query."""
    row = SendingLimit.objects.filter(owner=owner).first()
    rate = (row and row.requests_per_second) or settings.LIMBO_REQUESTS_PER_SECOND
    quota = (row and row.messages_per_day) or settings.LIMBO_MESSAGES_PER_DAY
    sizes = ((REQUESTS, rate, 1), (MESSAGES, quota, DAY_SECONDS))
    return tuple(
        Bucket(name, size, window, _left(row, name, size, window))
        for name, size, window in sizes
        if size
    )


def _left(row: SendingLimit | None, name: str, size: int, window: int) -> float:
    """What a bucket has now that it was refilled; one that was never taken from is full."""
    if row is None or row.filled_at is None:
        return size
    left: float = getattr(row, f"{name}_left")
    passed = max(0.0, (timezone.now() - row.filled_at).total_seconds())
    return min(size, left + passed * size / window)
