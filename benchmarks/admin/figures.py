"""What was measured, held against the limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.admin.pages import Kind
from benchmarks.admin.timing import Timed

REFERENCE_MS = 20.0
"""The look-up on the machine that the limits are for; elsewhere they grow or shrink with it."""

_LIMITS_MS = {Kind.HOME: 300, Kind.SEARCH: 200, Kind.LIST: 200, Kind.MESSAGE: 200}


def limit_ms(kind: Kind, look_up_ms: float) -> float:
    """What a page may take where the look-up takes so many milliseconds; 0: as much as it will."""
    return _LIMITS_MS.get(kind, 0) * look_up_ms / REFERENCE_MS


def as_rows(every: Sequence[Timed]) -> list[dict[str, Any]]:
    """All pages with their times and limits; the look-up is the first of `every`."""
    look_up = every[0].warm_ms
    return [
        {
            "kind": timed.page.kind.value,
            "label": timed.page.label,
            "path": timed.page.path,
            "warm_ms": timed.warm_ms,
            "cold_ms": timed.cold_ms,
            "warm": timed.warm,
            "cold": timed.cold,
            "ratio": timed.warm_ms / look_up,
            "limit_ms": limit_ms(timed.page.kind, look_up),
        }
        for timed in every
    ]


def too_slow(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is over its limit, warm or cold."""
    return [
        f"{row['kind']}, {row['label']}: {row[how]:.0f} ms {how.removesuffix('_ms')}, "
        f"more than {row['limit_ms']:.0f}"
        for row in rows
        for how in ("warm_ms", "cold_ms")
        if row["limit_ms"] and row[how] > row["limit_ms"]
    ]


def table(content: Mapping[str, Any], source: str) -> str:
    """The results in Markdown, with their source."""
    lines = ["| | warm | cold | limit | warm, to the look-up |", "| --- |" + " ---: |" * 4]
    for row in content["rows"]:
        limit = f"{row['limit_ms']:.0f} ms" if row["limit_ms"] else ""
        cold = f"{row['cold_ms']:.0f} ms" if row["cold_ms"] else ""
        label = f"search: {row['label']}" if row["kind"] == "search" else row["label"]
        lines.append(
            f"| {label} | {row['warm_ms']:.0f} ms | {cold} | {limit} | {row['ratio']:.1f} |"
        )
    versions = content["versions"]
    about = (
        f"{content['date'][:10]}, {content['messages']:,} messages and "
        f"{content['events']:,} events ({content['gigabytes']:.1f} GB), "
        f"medians of {content['rounds']} rounds, "
        f"{versions['processors']} processors (load {versions['load']:.1f} at the start), Python "
        f"{versions['python']}, PostgreSQL {versions['postgres']['server_version']}, "
        f"shared_buffers {versions['postgres']['shared_buffers']}. "
        f"From `benchmarks/results/{source}`."
    )
    return "\n".join(lines) + f"\n\n{about}"
