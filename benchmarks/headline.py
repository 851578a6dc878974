"""The headline: everybody's rate, in turn, and what a message costs the database."""

from benchmarks.contestants import HEADLINE, available
from benchmarks.figures import ratio
from benchmarks.measures import Entry, Figure, Measure, alternate
from benchmarks.options import Options
from benchmarks.stage import Stage

_LIMBOS = ("limbo", "limbo_django_mime")


def measure(stage: Stage, options: Options) -> Measure:
    """Limbo and its peers through SMTP."""
    rows = alternate([Entry(one) for one in available(HEADLINE)], stage, options)
    limbo, fair = (rows[name].rates for name in _LIMBOS)
    ratios = [
        Figure(name, f"Limbo to {row.label}", ratio(limbo, row.rates))
        for name, row in rows.items()
        if name not in _LIMBOS
    ]
    tuned = rows["post_office_tuned"]
    label = f"Limbo with Django's MIME builder to {tuned.label}"
    ratios.append(Figure("post_office_tuned_django_mime", label, ratio(fair, tuned.rates)))
    return Measure(list(rows.values()), ratios)
