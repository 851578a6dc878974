"""The headline: everybody's rate, in turn, and what a message costs the database."""

from benchmarks.contestants import HEADLINE, available
from benchmarks.figures import ratio
from benchmarks.measures import Entry, Measure, alternate
from benchmarks.options import Options
from benchmarks.race import Stage


def measure(stage: Stage, options: Options) -> Measure:
    """Limbo and its peers through SMTP."""
    rows = alternate([Entry(one) for one in available(HEADLINE)], stage, options)
    ours = rows["limbo"].rates
    ratios = {
        name: ratio(ours, row.rates)
        for name, row in rows.items()
        if name not in ("limbo", "limbo_django_mime")
    }
    fair = rows["limbo_django_mime"].rates
    tuned = rows["post_office_tuned"].rates
    ratios["post_office_tuned_django_mime"] = ratio(fair, tuned)
    return Measure(list(rows.values()), ratios)
