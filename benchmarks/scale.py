"""Scale: more workers, a second cluster, a provider that is far away."""

from benchmarks.contestants import LIMBO
from benchmarks.figures import ratio
from benchmarks.measures import Entry, Figure, Measure, alternate
from benchmarks.options import Options
from benchmarks.race import Setting
from benchmarks.stage import Stage

_MESSAGES = 20_000
_SLOW_MESSAGES = 3_000
_DELAYS_MS = (1, 10, 50)


def measure(stage: Stage, options: Options) -> Measure:
    """Limbo alone, in each setting; the ratios are to Limbo as it is started by default."""
    rows = alternate(_entries(), stage, options)
    base = rows.pop("workers_2")
    ratios = [
        Figure(name, f"{row.label}, to {base.label}", ratio(row.rates, base.rates))
        for name, row in rows.items()
    ]
    return Measure([base, *rows.values()], ratios)


def _entries() -> list[Entry]:
    two = Setting(clusters=2, environment={"LIMBO_WORKERS": "1"})
    return [
        Entry(LIMBO, Setting(), "workers_2", "2 workers (the default)", _MESSAGES),
        _with_workers(1, "1 worker"),
        _with_workers(4, "4 workers"),
        Entry(LIMBO, two, "clusters_2", "2 clusters with a worker each", _MESSAGES),
        *map(_delayed, _DELAYS_MS),
    ]


def _with_workers(count: int, label: str) -> Entry:
    setting = Setting(environment={"LIMBO_WORKERS": str(count)})
    return Entry(LIMBO, setting, f"workers_{count}", label, _MESSAGES)


def _delayed(milliseconds: int) -> Entry:
    label = f"2 workers, every answer of the provider {milliseconds} ms later"
    setting = Setting(delay=milliseconds / 1000)
    return Entry(LIMBO, setting, f"delay_{milliseconds}_ms", label, _SLOW_MESSAGES)
