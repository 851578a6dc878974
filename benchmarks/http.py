"""Through an Anymail HTTP backend: Limbo, and the same backend called one message a task."""

from benchmarks.contestants import LIMBO_HTTP, Q2_HTTP
from benchmarks.figures import ratio
from benchmarks.measures import Entry, Figure, Measure, alternate
from benchmarks.options import Options
from benchmarks.stage import Stage


def measure(stage: Stage, options: Options) -> Measure:
    """Both in turn, against one local HTTP server."""
    rows = alternate([Entry(LIMBO_HTTP), Entry(Q2_HTTP)], stage, options)
    ours, theirs = rows.values()
    label = "Limbo to the same backend, one message a task"
    return Measure([ours, theirs], [Figure("http", label, ratio(ours.rates, theirs.rates))])
