"""The tables that people read, made from a results file's content."""

from collections.abc import Mapping
from typing import Any

_END = "<!-- end -->"

_KINDS = {
    "commits": "commits",
    "wal_bytes": "WAL, bytes",
    "row_writes": "row writes",
    "disk_bytes": "disk, bytes",
}


def tables(content: Mapping[str, Any], source: str) -> dict[str, str]:
    """Each measure's tables in Markdown, with their source."""
    return {
        name: "\n\n".join(
            part
            for part in (
                _rates(measure["rows"]),
                _figures(measure["figures"]),
                _costs(measure["rows"]),
                _about(content, source),
            )
            if part
        )
        for name, measure in content["measures"].items()
    }


def put(paper: str, made: Mapping[str, str]) -> str:
    """`paper` with its marked blocks replaced by those of `made` that it has."""
    for name, table in made.items():
        before, mark, rest = paper.partition(f"<!-- {name} -->\n")
        if mark:
            paper = before + mark + table + "\n" + rest[rest.index(_END) :]
    return paper


def _rates(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    best = max(row["median"] for row in rows)
    lines = ["| | messages a second | spread | rounds |", "| --- | ---: | ---: | --- |"]
    for row in sorted(rows, key=lambda row: -row["median"]):
        rounds = ", ".join(f"{run['rate']:,.0f}" for run in row["runs"])
        bold = "**" if row["median"] == best else ""
        rate = f"{bold}{row['median']:,.0f}{bold}"
        lines.append(f"| {row['label']} | {rate} | {row['spread']:.0%} | {rounds} |")
    return "\n".join(lines)


def _figures(figures: list[dict[str, Any]]) -> str:
    lines = ["| | |", "| --- | ---: |"]
    lines += [f"| {figure['label']} | {figure['value']:,.2f} |" for figure in figures]
    return "\n".join(lines)


def _costs(rows: list[dict[str, Any]]) -> str:
    """What a message costs the database, of those that have one."""
    costly = [row for row in rows if row["cost"]]
    if not costly:
        return ""
    lines = [
        "| per message | " + " | ".join(_KINDS.values()) + " |",
        "| --- |" + " ---: |" * len(_KINDS),
    ]
    for row in costly:
        values = [f"{row['cost'][kind]:,.{2 if kind == 'commits' else 0}f}" for kind in _KINDS]
        lines.append(f"| {row['label']} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _about(content: Mapping[str, Any], source: str) -> str:
    versions = content["versions"]
    peers = ", ".join(f"{name} {version}" for name, version in versions["peers"].items())
    return (
        f"{content['date'][:10]}, medians of {content['rounds']} rounds, "
        f"{versions['processors']} processors (load {versions['load']:.1f} at the start), "
        f"Python {versions['python']}, "
        f"PostgreSQL {versions['postgres']['server_version']} (fsync "
        f"{versions['postgres']['fsync']}), sink: {versions['sink']}; {peers}. "
        f"From `benchmarks/results/{source}`."
    )
