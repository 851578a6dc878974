"""How much comes and goes, as charts and tables: by time, by provider and by user."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from notifications.history.rates import DAY, PERIODS, Counts, Measure, Period, Rates, rates_of
from notifications.models.state import State

MOST_OWNERS = 10

BAR, GAP, HEIGHT = 10, 2, 60
"""A chart's measures; the page stretches it."""

MANY_BOUNCES = 0.05
"""From this share of bounces on receivers' servers begin to refuse a sender."""

_TITLES = {
    Measure.ACCEPTED: "Accepted",
    Measure.SENT: "Sent",
    Measure.DELIVERED: "Delivered",
    Measure.BOUNCED: "Bounced",
}
_WORDS = {"hour": ("1 h", "%H:%M"), "day": ("24 h", "%a %H:%M"), "week": ("7 days", "%d %b %H:%M")}
"""How each period is called, and how the beginning of one of its steps is written."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What happened in one step, as a rectangle."""

    x: int
    y: int
    height: int
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One measure over the period."""

    measure: str
    title: str
    total: str
    most: str
    """The highest bar's count."""
    bars: Sequence[Bar]
    link: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A period that can be chosen."""

    title: str
    link: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    name: str
    link: str
    counts: Sequence[str]
    """In the order of the columns."""
    share: str = ""
    """Of bounces among what was sent."""
    is_bad: bool = False


def rates_context(name: str) -> dict[str, Any]:
    """The page's values for the period `name`; for a day if there is none of that name."""
    period = PERIODS.get(name, DAY)
    rates = rates_of(period, now=timezone.now(), most=MOST_OWNERS)
    columns = tuple(measure for measure in Measure if measure is not Measure.ACCEPTED)
    return {
        "rates": rates,
        "period": _WORDS[period.name][0],
        "since": _written(period, rates.begins[0]),
        "periods": [
            Choice(words, f"?period={name}#rates", is_current=name == period.name)
            for name, (words, _) in _WORDS.items()
        ],
        "charts": [_chart(period, rates, measure) for measure in Measure],
        "chart_width": len(rates.begins) * (BAR + GAP) - GAP,
        "chart_height": HEIGHT,
        "chart_bar": BAR,
        "steps": [
            Row(_written(period, begin), "", _figures(counts, Measure))
            for begin, counts in zip(rates.begins, rates.series, strict=True)
        ],
        "provider_rows": list(_rows(rates.providers, columns, period, "provider")),
        "owner_rows": list(_rows(rates.owners, tuple(Measure), period, "owner")),
    }


def _chart(period: Period, rates: Rates, measure: Measure) -> Chart:
    values = [counts[measure] for counts in rates.series]
    most = max(values)
    bars = []
    for number, (begin, value) in enumerate(zip(rates.begins, values, strict=True)):
        # what happened at all can be seen
        height = max(2, round(HEIGHT * value / most)) if value else 0
        title = f"{_written(period, begin)}: {value:,}"
        bars.append(Bar(number * (BAR + GAP), HEIGHT - height, height, title))
    choice = {"accepted": period.name}
    if measure in (Measure.DELIVERED, Measure.BOUNCED):
        choice["state"] = State(measure).value
    return Chart(
        measure.value,
        _TITLES[measure],
        f"{rates.total(measure):,}",
        f"{most:,}",
        bars,
        _messages(choice),
    )


def _rows(
    counted: Mapping[str, Counts], columns: Sequence[Measure], period: Period, parameter: str
) -> Iterator[Row]:
    for name, counts in counted.items():
        sent, bounced = counts[Measure.SENT], counts[Measure.BOUNCED]
        share = bounced / sent if sent else 0.0
        yield Row(
            name,
            _messages({parameter: name, "accepted": period.name}),
            _figures(counts, columns),
            f"{share:.1%}" if sent else "–",
            is_bad=share >= MANY_BOUNCES,
        )


def _figures(counts: Counts, columns: Sequence[Measure] | type[Measure]) -> list[str]:
    return [f"{counts[measure]:,}" for measure in columns]


def _written(period: Period, begin: datetime) -> str:
    return begin.strftime(_WORDS[period.name][1])


def _messages(choice: Mapping[str, str]) -> str:
    return f"{reverse('admin:notifications_message_changelist')}?{urlencode(choice)}"
