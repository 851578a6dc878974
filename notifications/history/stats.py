"""Counts over a period, read from the roll-ups."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDay

from notifications.history.following import is_behind
from notifications.history.positions import sequence_events
from notifications.history.roll_ups import NAME, count_events
from notifications.models import RollUp, User
from notifications.models.roll_up import Dimension

MOST_TAGS = 100
"""Tags that are told of at once, those with most events."""

Interval = Literal["hour", "day"]
Counts = Mapping[str, int]
"""How many events there were of each kind; kinds without any are left out."""

_STEPS: Mapping[Interval, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Stats:
    """What happened to one user's messages in a period."""

    counts: Counts
    providers: Mapping[str, Counts]
    tags: Mapping[str, Counts]
    """In the order of their names, like the providers."""
    series: Mapping[datetime, Counts]
    """By the beginning of each hour or day of the period; empty unless asked for."""
    is_complete: bool
    """Everything that had happened by now is counted."""


def stats_of(
    owner: User,
    *,
    after: datetime,
    before: datetime,
    tag: str | None = None,
    interval: Interval | None = None,
) -> Stats:
    """What happened to `owner`'s messages from `after` until `before`, both whole hours.

    With `tag` it is the only one in `tags`. A series by day has days of UTC. What has happened
    until this call is counted first, as far as one step goes. Runs outside any transaction.
    """
    sequence_events()
    count_events()
    rows = RollUp.objects.filter(owner=owner, hour__gte=after, hour__lt=before)
    everything = rows.filter(dimension=Dimension.ALL)
    tagged = rows.filter(dimension=Dimension.TAG)
    tagged = tagged.filter(name=tag) if tag is not None else tagged.filter(name__in=_most(tagged))
    return Stats(
        counts=_by_name(everything).get("", {}),
        providers=_by_name(rows.filter(dimension=Dimension.PROVIDER)),
        tags=_by_name(tagged),
        series=_series(everything, after, before, interval) if interval else {},
        is_complete=not is_behind(NAME),
    )


def _by_name(rows: QuerySet[RollUp]) -> dict[str, Counts]:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for name, kind, count in _summed(rows, "name", "kind"):
        counts[name][kind] = count
    return dict(counts)


def _most(tagged: QuerySet[RollUp]) -> list[str]:
    """The tags with most events."""
    totals = tagged.values("name").annotate(total=Sum("count")).order_by("-total", "name")
    return [row["name"] for row in totals[:MOST_TAGS]]


def _series(
    rows: QuerySet[RollUp], after: datetime, before: datetime, interval: Interval
) -> dict[datetime, Counts]:
    step = _STEPS[interval]
    first = after.replace(hour=0) if interval == "day" else after
    counts: dict[datetime, dict[str, int]] = {
        first + number * step: {} for number in range(-((first - before) // step))
    }
    if interval == "day":
        rows = rows.annotate(moment=TruncDay("hour"))
    key = "moment" if interval == "day" else "hour"
    for moment, kind, count in _summed(rows, key, "kind"):
        counts[moment][kind] = count
    return dict(counts)


def _summed(rows: QuerySet[RollUp], *keys: str) -> Iterable[tuple[Any, ...]]:
    """The rows' counts added up by `keys`, and in their order."""
    sums: Any = rows.values(*keys).annotate(total=Sum("count")).order_by(*keys)
    return (tuple(row.values()) for row in sums)
