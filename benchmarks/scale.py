"""Scale: more workers, a second cluster, a provider that is far away."""

from benchmarks.contestants import LIMBO
from benchmarks.figures import ratio
from benchmarks.measures import Entry, Figure, Measure, alternate
from benchmarks.options import Options
from benchmarks.race import Setting
from benchmarks.stage import Stage

_MESSAGES = 40_000
"""Some seconds' worth: in less, connecting to a provider that is far away would count for much."""
_DEFAULT = {"LIMBO_WORKERS": "2", "LIMBO_THREADS": "8"}
_FAR_AWAY = {"LIMBO_WORKERS": "4", "LIMBO_THREADS": "200"}
"""For a provider whose answers take long: many connections, which wait together."""
_DELAYS_MS = (1, 10, 50)


def measure(stage: Stage, options: Options) -> Measure:
    """Limbo alone, in each setting.

    The ratios are to Limbo as it is started by default, and for a provider that is far away to the
    same number of connections over the same link without a delay: the link costs its share too.
    """
    rows = alternate(_entries(), stage, options)
    base, near = rows["workers_2"], rows["delay_0_ms"]
    ratios = []
    for name, row in rows.items():
        other = near if name.startswith("delay") else base
        if row is not other:
            label = f"{row.label}, to {other.label}"
            ratios.append(Figure(name, label, ratio(row.rates, other.rates)))
    return Measure([*rows.values()], ratios)


def _entries() -> list[Entry]:
    two = Setting(clusters=2, environment=_DEFAULT | {"LIMBO_WORKERS": "1"})
    return [
        _with_workers(2, "2 workers (the default)"),
        _with_workers(1, "1 worker"),
        _with_workers(4, "4 workers"),
        Entry(LIMBO, two, "clusters_2", "2 clusters with a worker each", _MESSAGES),
        _far_away(0, "4 workers of 200 connections, over a link without a delay"),
        *(_far_away(ms, f"the same, every answer {ms} ms later") for ms in _DELAYS_MS),
    ]


def _with_workers(count: int, label: str) -> Entry:
    setting = Setting(environment=_DEFAULT | {"LIMBO_WORKERS": str(count)})
    return Entry(LIMBO, setting, f"workers_{count}", label, _MESSAGES)


def _far_away(milliseconds: int, label: str) -> Entry:
    setting = Setting(delay=milliseconds / 1000, environment=_FAR_AWAY)
    return Entry(LIMBO, setting, f"delay_{milliseconds}_ms", label, _MESSAGES)
