"""The arithmetic of the results: medians, spreads, ratios, percentiles."""

import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle one; of an even number the mean of the two in the middle."""
    return statistics.median(values)


def spread(values: Sequence[float]) -> float:
    """How far the values lie apart, as a share of their median."""
    return (max(values) - min(values)) / median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    place = max(1, -int(-share * len(ordered) // 1))
    return ordered[place - 1]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios: both ran next to each other in each round."""
    return median([one / other for one, other in zip(ours, theirs, strict=True)])
