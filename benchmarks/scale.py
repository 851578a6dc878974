"""Scale: more workers, a second cluster, a provider that is far away."""

from benchmarks.contestants import LIMBO
from benchmarks.figures import ratio
from benchmarks.measures import Entry, Measure, alternate
from benchmarks.options import Options
from benchmarks.race import Setting, Stage

_DELAYS_MS = (1, 10, 50)


def measure(stage: Stage, options: Options) -> Measure:
    """Limbo alone, in each setting; the ratios are to Limbo as it is started by default."""
    entries = [Entry(LIMBO, name="workers_2", label="2 workers (the default)", messages=20_000)]
    entries += [_workers(count) for count in (1, 4)]
    entries.append(
        Entry(
            LIMBO,
            Setting(clusters=2, environment={"LIMBO_WORKERS": "1"}),
            "clusters_2",
            "2 clusters with 1 worker each",
            20_000,
        )
    )
    entries += [_delayed(delay) for delay in _DELAYS_MS]
    rows = alternate(entries, stage, options)
    base = rows["workers_2"].rates
    ratios = {name: ratio(row.rates, base) for name, row in rows.items() if name != "workers_2"}
    return Measure(list(rows.values()), ratios)


def _workers(count: int) -> Entry:
    setting = Setting(environment={"LIMBO_WORKERS": str(count)})
    return Entry(LIMBO, setting, f"workers_{count}", f"{count} worker(s)", 20_000)


def _delayed(milliseconds: int) -> Entry:
    label = f"2 workers, each answer of the provider {milliseconds} ms later"
    setting = Setting(delay=milliseconds / 1000)
    return Entry(LIMBO, setting, f"delay_{milliseconds}ms", label, 20_000 // milliseconds + 1_000)
