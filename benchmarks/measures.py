"""What every measure is given and gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from benchmarks import figures
from benchmarks.contestants import Contestant
from benchmarks.options import Options
from benchmarks.processes import BenchmarkError
from benchmarks.race import Setting, Stage, Timed, race


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: the runs of one contestant in one setting."""

    name: str
    label: str
    runs: list[Timed]

    @property
    def rates(self) -> list[float]:
        """Messages a second, round by round."""
        return [run.rate for run in self.runs]

    def as_json(self) -> dict[str, object]:
        """The row with its figures."""
        return {
            "name": self.name,
            "label": self.label,
            "median": figures.median(self.rates),
            "spread": figures.spread(self.rates),
            "runs": [asdict(run) for run in self.runs],
            "cost": self.cost(),
        }

    def cost(self) -> dict[str, float]:
        """The median of each kind of cost, per message."""
        kinds = self.runs[0].cost
        return {kind: figures.median([run.cost[kind] for run in self.runs]) for kind in kinds}


@dataclass(frozen=True, slots=True)
class Measure:
    """What a measure has found."""

    rows: Sequence[Row] = ()
    ratios: Mapping[str, float] = field(default_factory=dict)
    """Named figures; times are in milliseconds, the others ratios."""

    def as_json(self) -> dict[str, object]:
        """For the results file."""
        return {"rows": [row.as_json() for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant in a setting: what becomes one row."""

    contestant: Contestant
    setting: Setting = field(default_factory=Setting)
    name: str = ""
    label: str = ""
    messages: int = 0
    """Zero: the contestant's own number."""


def alternate(entries: Sequence[Entry], stage: Stage, options: Options) -> dict[str, Row]:
    """Run all entries one after the other, round after round, so that all see the same weather."""
    rows = {
        entry.name or entry.contestant.name: Row(
            entry.name or entry.contestant.name, entry.label or entry.contestant.label, []
        )
        for entry in entries
    }
    for number in range(options.rounds):
        for entry, row in zip(entries, rows.values(), strict=True):
            count = options.scaled(entry.messages or entry.contestant.messages)
            run = _tried_twice(entry, stage, count)
            row.runs.append(run)
            print(f"round {number + 1}  {run.rate:>9,.0f}/s  {row.name}", flush=True)
    return rows


def _tried_twice(entry: Entry, stage: Stage, count: int) -> Timed:
    """One run; a peer that breaks off or repeats a message gets a second chance."""
    try:
        return race(entry.contestant, stage, count=count, setting=entry.setting)
    except BenchmarkError as error:
        if entry.contestant.is_limbo:
            raise
        print(f"again: {error}", flush=True)
        return race(entry.contestant, stage, count=count, setting=entry.setting)
