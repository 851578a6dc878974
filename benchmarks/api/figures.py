"""What the rounds come to, and the tables of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.api.contenders import BATCH, Contender
from benchmarks.figures import median, ratio, spread


@dataclass(frozen=True, slots=True)
class Round:
    """One contender under load for some seconds."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    web_cpu_ms: float
    """The web server's processor time for each request, in milliseconds."""
    database_cpu_ms: float
    """PostgreSQL's."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Processor time for each request, in milliseconds; the load generator's is left out."""
        return self.web_cpu_ms + self.database_cpu_ms


@dataclass(frozen=True, slots=True)
class Row:
    """A contender's rounds."""

    contender: Contender
    rounds: list[Round] = field(default_factory=list)

    def rates(self) -> list[float]:
        """Messages a second, round by round."""
        return [one.rate * self.contender.messages for one in self.rounds]

    def costs(self) -> list[float]:
        """Processor time of one message in milliseconds, round by round."""
        return [one.cpu_ms / self.contender.messages for one in self.rounds]

    def as_json(self) -> dict[str, Any]:
        """The row with its figures."""
        kinds = ("p50_ms", "p95_ms", "p99_ms", "web_cpu_ms", "database_cpu_ms")
        return {
            "name": self.contender.name,
            "label": self.contender.label,
            "requests_a_second": median([one.rate for one in self.rounds]),
            "messages_a_second": median(self.rates()),
            "spread": spread(self.rates()),
            **{kind: median([getattr(one, kind) for one in self.rounds]) for kind in kinds},
            "rounds": [asdict(one) for one in self.rounds],
        }


_RATIOS = (
    ("single_to_drf", "a single post to the bare DRF view", "single", "drf"),
    ("single_to_raw", "a single post to the raw view", "single", "raw"),
    ("batch_to_single", f"a batch of {BATCH} to single posts, per message", "batch", "single"),
)


def ratios(rows: Mapping[str, Row]) -> list[dict[str, Any]]:
    """How many times as fast, and how many times as much processor time, of those that ran."""
    found = []
    for name, label, ours, theirs in _RATIOS:
        if ours in rows and theirs in rows:
            one, other = rows[ours], rows[theirs]
            found += [
                {
                    "name": name,
                    "label": f"{label}: rate",
                    "value": ratio(one.rates(), other.rates()),
                },
                {
                    "name": f"{name}_cpu",
                    "label": f"{label}: processor time",
                    "value": ratio(one.costs(), other.costs()),
                },
            ]
    return found


def table(content: Mapping[str, Any], source: str) -> str:
    """The results in Markdown, with their source."""
    rows = sorted(content["rows"], key=lambda row: -row["messages_a_second"])
    versions = content["versions"]
    about = (
        f"{content['date'][:10]}, medians of {content['rounds']} rounds of "
        f"{content['seconds']:g} s, {versions['processors']} processors (load "
        f"{versions['load']:.1f} at the start), Python {versions['python']}, PostgreSQL "
        f"{versions['postgres']['server_version']} (fsync {versions['postgres']['fsync']}), "
        f"granian {versions['packages']['granian']}. From `benchmarks/results/{source}`."
    )
    return "\n\n".join([_table_of_rows(rows), _table_of_ratios(content["ratios"]), about])


def _table_of_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| | requests/s | messages/s | spread | p50 | p95 | p99 | web, ms | database, ms |",
        "| --- |" + " ---: |" * 8,
    ]
    for row in rows:
        figures = [
            f"{row['requests_a_second']:,.0f}",
            f"{row['messages_a_second']:,.0f}",
            f"{row['spread']:.0%}",
            *(f"{row[kind]:,.0f} ms" for kind in ("p50_ms", "p95_ms", "p99_ms")),
            *(f"{row[kind]:.2f}" for kind in ("web_cpu_ms", "database_cpu_ms")),
        ]
        lines.append(f"| {row['label']} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def _table_of_ratios(found: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"| {one['label']} | {one['value']:,.2f} |" for one in found]
    return "\n".join(["| | ratio |", "| --- | ---: |", *lines])
