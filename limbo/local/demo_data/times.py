"""When messages come: more by day than by night, fewer on Sundays."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

SECOND = 1_000_000
"""Times are microseconds since 1970, which add up faster than dates."""
HOUR = 3600 * SECOND
DAY = 24 * HOUR
DAYS = 30

_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 11, 11, 10, 10, 9, 8, 7, 6, 5, 4, 3)
_BY_WEEKDAY = (10, 11, 10, 10, 9, 5, 4)
"""From Thursday, which 1 January 1970 was."""


def arrivals(count: int, *, until: int) -> Iterator[int]:
    """The times of `count` messages in the `DAYS` before `until`, one after the other."""
    begin = until - DAYS * DAY
    hours = range(begin, until, HOUR)
    reached = list(accumulate(_weight(hour) for hour in hours))
    for number in range(count):
        share = (number + 0.5) / count * reached[-1]
        index = bisect_right(reached, share)
        before = reached[index - 1] if index else 0
        yield begin + index * HOUR + int((share - before) / (reached[index] - before) * HOUR)


def _weight(hour: int) -> int:
    return _BY_HOUR[hour // HOUR % 24] * _BY_WEEKDAY[hour // DAY % 7]
