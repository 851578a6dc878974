"""Bars of a chart as an SVG's numbers: no script, no style, nothing that the policy forbids."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 60
"""Of the drawing, in its own units."""

STEP = 10
"""From one bar to the next."""

BAR = 8
"""Width of a bar."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle, and what is said of it."""

    x: int
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One count over time."""

    title: str
    tone: str
    total: int
    most: int
    bars: Sequence[Bar]

    @property
    def width(self) -> int:
        """Of the drawing."""
        return STEP * len(self.bars)


def chart_of(title: str, tone: str, names: Sequence[str], counts: Sequence[int]) -> Chart:
    """A bar for each count, the highest as high as the chart; `names` say when each was."""
    most = max(counts, default=0)
    bars = [
        _bar(number, count / most if most else 0, f"{name}: {count:,}")
        for number, (name, count) in enumerate(zip(names, counts, strict=True))
    ]
    return Chart(title, tone, sum(counts), most, bars)


def _bar(number: int, share: float, title: str) -> Bar:
    # what is not nothing can be seen
    height = max(round(HEIGHT * share, 1), 1.5) if share else 0
    return Bar(STEP * number + (STEP - BAR) // 2, HEIGHT - height, height, title)
