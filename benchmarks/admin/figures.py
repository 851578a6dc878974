"""What was measured, held against the limits."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.admin.pages import Kind
from benchmarks.admin.timing import Timed, Times

LIMITS = {Kind.HOME: 15, Kind.SEARCH: 10, Kind.LIST: 10, Kind.MESSAGE: 10}
"""As many times the look-up a page may take: 300 and 200 ms, where that takes 20."""


def as_rows(every: Sequence[Timed]) -> list[dict[str, Any]]:
    """All pages with their times."""
    return [
        {
            "kind": timed.page.kind.value,
            "label": timed.page.label,
            "path": timed.page.path,
            "limit": LIMITS[timed.page.kind],
            "warm": _as_json(timed.warm),
            "cold": _as_json(timed.cold),
        }
        for timed in every
    ]


def too_slow(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is over its limit, warm or cold."""
    return [
        f"{row['kind']}, {row['label']}, {how}: {row[how]['ms']:.0f} ms, which is "
        f"{row[how]['ratio']:.1f} times the look-up, more than {row['limit']}"
        for row in rows
        for how in ("warm", "cold")
        if row[how]["ratio"] > row["limit"]
    ]


def table(content: Mapping[str, Any], source: str) -> str:
    """The results in Markdown, with their source."""
    lines = ["| | warm | × look-up | cold | × look-up | at most |", "| --- |" + " ---: |" * 5]
    for row in content["rows"]:
        label = f"search: {row['label']}" if row["kind"] == Kind.SEARCH else row["label"]
        figures = [
            figure
            for how in ("warm", "cold")
            for figure in (f"{row[how]['ms']:.0f} ms", f"{row[how]['ratio']:.1f}")
        ]
        lines.append(f"| {label} | {' | '.join(figures)} | {row['limit']} |")
    versions = content["versions"]
    about = (
        f"{content['date'][:10]}, {content['messages']:,} messages and "
        f"{content['events']:,} events ({content['gigabytes']:.1f} GB), medians of "
        f"{content['rounds']} rounds, {versions['processors']} processors (load "
        f"{versions['load']:.1f} at the start), Python {versions['python']}, PostgreSQL "
        f"{versions['postgres']['server_version']}, shared_buffers "
        f"{versions['postgres']['shared_buffers']}; the look-up took "
        f"{_look_up_ms(content['rows'], 'warm'):.0f} ms warm, and "
        f"{_look_up_ms(content['rows'], 'cold'):.0f} beside the cold ones. "
        f"From `benchmarks/results/{source}`."
    )
    return "\n".join(lines) + f"\n\n{about}"


def _as_json(times: Times) -> dict[str, Any]:
    return {
        "ms": times.ms,
        "ratio": times.ratio,
        "each_ms": times.page,
        "look_up_ms": times.look_up,
    }


def _look_up_ms(rows: Sequence[Mapping[str, Any]], how: str) -> float:
    return float(median(took for row in rows for took in row[how]["look_up_ms"]))
