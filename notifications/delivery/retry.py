"""When to try again."""

import random

DELAYS = (30, 2 * 60, 10 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600)
"""Upper bounds of the waits, in seconds; the last one repeats until the deadline."""


def next_delay(backoffs: int) -> float:
    """Seconds to wait after so many waits before: full jitter under a growing bound.

    Full jitter spreads the messages of an outage best when it ends
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    bound = DELAYS[min(backoffs, len(DELAYS) - 1)]
    return random.uniform(0, bound)  # noqa: S311 - spreading load is no secret
