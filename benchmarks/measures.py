"""What every measure gives back, and how contestants take turns."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks import figures
from benchmarks.contestants import Contestant
from benchmarks.options import Options
from benchmarks.processes import BenchmarkError
from benchmarks.race import Setting, Timed, race
from benchmarks.stage import Stage


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that a measure was taken for."""

    name: str
    """Under which the results file has it."""
    label: str
    """What it is, with its unit."""
    value: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: the runs of one contestant in one setting."""

    name: str
    label: str
    runs: list[Timed] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """Messages a second, round by round."""
        return [run.rate for run in self.runs]

    def cost(self) -> dict[str, float]:
        """The median of each kind of cost, per message."""
        kinds = self.runs[0].cost
        return {kind: figures.median([run.cost[kind] for run in self.runs]) for kind in kinds}

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


@dataclass(frozen=True, slots=True)
class Measure:
    """What a measure has found."""

    rows: Sequence[Row]
    figures: Sequence[Figure]

    def as_json(self) -> dict[str, object]:
        """For the results file."""
        return {
            "rows": [row.as_json() for row in self.rows],
            "figures": [asdict(figure) for figure in self.figures],
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant in a setting: what becomes one row."""

    contestant: Contestant
    setting: Setting = field(default_factory=Setting)
    name: str = ""
    label: str = ""
    messages: int = 0
    """Zero: the contestant's own number."""

    def row(self) -> Row:
        """Its row, still without runs."""
        return Row(self.name or self.contestant.name, self.label or self.contestant.label)

    def run(self, stage: Stage, options: Options) -> Timed:
        """One run. A peer that breaks off or repeats a message gets a second chance."""
        count = options.scaled(self.messages or self.contestant.messages)
        try:
            return race(self.contestant, stage, count=count, setting=self.setting)
        except BenchmarkError as error:
            if self.contestant.is_limbo:
                raise
            print(f"again: {error}", flush=True)
            return race(self.contestant, stage, count=count, setting=self.setting)


def alternate(entries: Sequence[Entry], stage: Stage, options: Options) -> dict[str, Row]:
    """Run all entries one after the other, round after round, so that all see the same weather."""
    rows = [entry.row() for entry in entries]
    for number in range(1, options.rounds + 1):
        for entry, row in zip(entries, rows, strict=True):
            row.runs.append(entry.run(stage, options))
            print(f"round {number}  {row.rates[-1]:>9,.0f}/s  {row.name}", flush=True)
    return {row.name: row for row in rows}
