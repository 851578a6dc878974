"""The page of one's usage: what happened to one's messages lately, and how much may be sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.history.rates import Period
from notifications.history.roll_ups import ACCEPTED, KINDS
from notifications.history.stats import MOST_TAGS, Counts, Interval, Stats, stats_of
from notifications.history.wording import duration
from notifications.intake.allowance import MESSAGES, Bucket, allowance_of
from notifications.models import State
from notifications.web import charts
from notifications.web.charts import chart_of
from notifications.web.display import TONES
from notifications.web.views import SignedInRequest

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shown(Period):
    """A period that is counted in hours or in days of UTC."""

    label: str

    @property
    def interval(self) -> Interval:
        """What one of its steps is."""
        return "day" if self.step >= _DAY else "hour"

    def written(self, at: datetime) -> str:
        """One of its hours or days, for people."""
        day = f"{at.day} {at:%b}"
        return day if self.interval == "day" else f"{day}, {at:%H:%M}"


PERIODS = (
    Shown("day", timedelta(hours=1), 24, "24 hours"),
    Shown("week", _DAY, 7, "7 days"),
    Shown("month", _DAY, 30, "30 days"),
)

_CHARTS = (
    ("Accepted", "going", (ACCEPTED,)),
    ("Taken by a provider", "good", (State.QUEUED,)),
    ("Sent", "good", (State.SENT,)),
    ("Delivered", "good", (State.DELIVERED,)),
    ("Went wrong", "bad", TONES["bad"]),
)
"""Title, tone and kinds of each; but for the first, one without anything to show is left out."""


_LABELS = {ACCEPTED: "Accepted", State.SENDING: "Tried"}
"""Kinds that are said otherwise when they are counted."""


@never_cache
@require_safe
@login_required
def usage_page(request: SignedInRequest) -> HttpResponse:
    """What happened to the user's own messages in a period, and the user's limits."""
    asked = request.GET.get("period")
    period = next((one for one in PERIODS if one.name == asked), PERIODS[0])
    begin = period.begins(timezone.now())[0]
    end = begin + period.steps * period.step
    stats = stats_of(request.user, after=begin, before=end, interval=period.interval)
    context = {
        "periods": PERIODS,
        "period": period,
        "is_complete": stats.is_complete,
        "charts": _charts(period, stats),
        "bar_width": charts.BAR,
        "height": charts.HEIGHT,
        "first": period.written(begin),
        **_table(period, stats, begin),
        "parts": [
            ("provider", "By provider", *_part(stats.providers)),
            ("tag", "By tag", *_part(stats.tags, begin)),
        ],
        "most_tags": MOST_TAGS if len(stats.tags) == MOST_TAGS else None,
        "limits": [_limit(bucket) for bucket in allowance_of(request.user)],
    }
    return render(request, "web/usage.html", context)


def _table(period: Shown, stats: Stats, begin: datetime) -> dict[str, Any]:
    """The table of the period's steps, the latest first: its columns, its rows and their sums."""
    kinds = [kind for kind in KINDS if kind in stats.counts]
    return {
        "kinds": [
            (_label(kind), _found(begin, state=kind) if kind in TONES["bad"] else "")
            for kind in kinds
        ],
        "steps": [
            (at, period.written(at), _row(counts, kinds))
            for at, counts in sorted(stats.series.items(), reverse=True)
        ],
        "totals": _row(stats.counts, kinds),
    }


def _charts(period: Shown, stats: Stats) -> list[charts.Chart]:
    names = [period.written(at) for at in stats.series]
    made = [
        chart_of(title, tone, names, [_sum(counts, kinds) for counts in stats.series.values()])
        for title, tone, kinds in _CHARTS
    ]
    return [chart for number, chart in enumerate(made) if chart.total or not number]


def _part(
    counts: Mapping[str, Counts], begin: datetime | None = None
) -> tuple[list[str], list[tuple[str, str, list[int]]]]:
    """A table of parts: its columns; each part's name, its messages since `begin`, and its row."""
    kinds = [kind for kind in KINDS if any(kind in row for row in counts.values())]
    rows = [
        (name, _found(begin, tag=name) if begin else "", _row(row, kinds))
        for name, row in counts.items()
    ]
    return [_label(kind) for kind in kinds], rows


def _found(begin: datetime, **asked: str) -> str:
    """Where the messages stand that are meant."""
    query = {**asked, "since": f"{begin:%Y-%m-%dT%H:%M}"}
    return f"{reverse('web:messages')}?{urlencode(query)}"


def _row(counts: Counts, kinds: Sequence[str]) -> list[int]:
    return [counts.get(kind, 0) for kind in kinds]


def _sum(counts: Counts, kinds: Sequence[str]) -> int:
    return sum(counts.get(kind, 0) for kind in kinds)


def _label(kind: str) -> str:
    return _LABELS.get(kind) or capfirst(State(kind).label)


def _limit(bucket: Bucket) -> dict[str, Any]:
    """A limit, how much of it is used, and when all of it is there again."""
    return {
        "title": "Messages a day" if bucket.name == MESSAGES else "Submitting requests a second",
        "size": bucket.size,
        "used": bucket.size - bucket.whole_left,
        "full_in": duration(bucket.full_in) if bucket.full_in else "",
    }
