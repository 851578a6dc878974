"""How much comes and goes, of everybody, lately: read from the roll-ups."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from notifications.history.following import is_behind
from notifications.history.positions import sequence_events
from notifications.history.roll_ups import ACCEPTED, NAME, RECENT_KINDS, count_events
from notifications.history.rows import fetch_rows
from notifications.models import State, User

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Measure(StrEnum):
    """What is counted."""

    ACCEPTED = "accepted"
    SENT = "sent"
    """Deliveries that a provider took, by SMTP or HTTP."""
    DELIVERED = "delivered"
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class Period:
    """The last so many steps, the one that is under way included."""

    name: str
    step: timedelta
    steps: int

    def begins(self, now: datetime) -> list[datetime]:
        """When each step begins, oldest first; in whole steps of UTC."""
        last = now - (now - _EPOCH) % self.step
        return [last - number * self.step for number in reversed(range(self.steps))]


HOUR = Period("hour", timedelta(minutes=5), 12)
DAY = Period("day", timedelta(hours=1), 24)
WEEK = Period("week", timedelta(hours=6), 28)
PERIODS = {period.name: period for period in (HOUR, DAY, WEEK)}

Counts = Mapping[Measure, int]


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened in a period."""

    begins: Sequence[datetime]
    series: Sequence[Counts]
    """Beside each beginning what happened from then on."""
    providers: Mapping[str, Counts]
    """Those with most taken first; nothing is accepted by a provider."""
    owners: Mapping[str, Counts]
    """By username, those with most accepted first."""
    is_complete: bool
    """Everything that had happened by now is counted."""

    def total(self, measure: Measure) -> int:
        """How much of it there was."""
        return sum(counts[measure] for counts in self.series)


# once by step and once by owner, in one walk; `accepted` is of no provider
_SUMS = """
SELECT date_bin(%(step)s, {moment}, %(after)s), owner_id, name, kind, sum(count)::bigint
FROM notifications_{table}
WHERE {moment} >= %(after)s AND kind = ANY(%(kinds)s) AND {only}
GROUP BY GROUPING SETS ((1, name, kind), (owner_id, name, kind))
"""
_BY_MINUTE = _SUMS.format(table="recentrollup", moment="minute", only="true")
# the first condition is the index's
_BY_HOUR = _SUMS.format(
    table="rollup",
    moment="hour",
    only="dimension <> 'tag'"
    f" AND dimension = CASE kind WHEN '{ACCEPTED}' THEN 'all' ELSE 'provider' END",
)

_Kinds = dict[str, dict[str, int]]
"""Counts by kind, by provider."""


def rates_of(period: Period, *, now: datetime, most: int) -> Rates:
    """What happened in the period, of everybody, with the `most` active owners.

    What has happened until this call is counted first, as far as one step goes. Runs outside any
    transaction.
    """
    sequence_events()
    count_events()
    begins = period.begins(now)
    by_step: dict[datetime, _Kinds] = defaultdict(lambda: defaultdict(dict))
    by_owner: dict[int, _Kinds] = defaultdict(lambda: defaultdict(dict))
    for begin, owner_id, name, kind, count in _sums(period, begins[0]):
        by_name = by_owner[owner_id] if begin is None else by_step[begin]
        by_name[name][kind] = count
    return Rates(
        begins=begins,
        series=[_counts(by_step[begin]) for begin in begins],
        providers=_providers(by_step),
        owners=_names({id_: _counts(kinds) for id_, kinds in by_owner.items()}, most),
        is_complete=not is_behind(NAME),
    )


def _sums(period: Period, after: datetime) -> Iterator[tuple[datetime | None, int, str, str, int]]:
    query = _BY_MINUTE if period.step < timedelta(hours=1) else _BY_HOUR
    kinds = list(RECENT_KINDS)
    yield from fetch_rows(query, {"step": period.step, "after": after, "kinds": kinds})


def _counts(by_name: _Kinds) -> Counts:
    """The measures of what was counted by kind, by provider."""
    return {
        Measure.ACCEPTED: sum(kinds.get(ACCEPTED, 0) for kinds in by_name.values()),
        Measure.SENT: sum(_taken(kinds) for kinds in by_name.values()),
        Measure.DELIVERED: sum(kinds.get(State.DELIVERED, 0) for kinds in by_name.values()),
        Measure.BOUNCED: sum(kinds.get(State.BOUNCED, 0) for kinds in by_name.values()),
    }


def _taken(kinds: Mapping[str, int]) -> int:
    """How many a provider took: what one answers as `queued` and later reports as sent is one."""
    return max(kinds.get(State.QUEUED, 0), kinds.get(State.SENT, 0))


def _providers(by_step: Mapping[datetime, _Kinds]) -> Mapping[str, Counts]:
    steps: dict[str, list[Counts]] = defaultdict(list)
    for by_name in by_step.values():
        for name, kinds in by_name.items():
            if name:
                steps[name].append(_counts({name: kinds}))
    sums = {
        name: {measure: sum(counts[measure] for counts in every) for measure in Measure}
        for name, every in steps.items()
    }
    return dict(sorted(sums.items(), key=lambda item: (-item[1][Measure.SENT], item[0])))


def _names(by_owner: Mapping[int, Counts], most: int) -> Mapping[str, Counts]:
    """The most active owners' counts, by their names."""
    first = sorted(by_owner, key=lambda id_: _activity(by_owner[id_]), reverse=True)[:most]
    names = dict(User.objects.filter(pk__in=first).values_list("pk", "username"))
    return {names[id_]: by_owner[id_] for id_ in first if id_ in names}


def _activity(counts: Counts) -> tuple[int, int]:
    return counts[Measure.ACCEPTED], counts[Measure.SENT]
