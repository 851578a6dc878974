"""`python -m benchmarks.limbo_side.claim_time`: the median milliseconds of a claim of 100.

Each claim is rolled back, so that all find the same queue.
"""

import statistics
import time

import django

django.setup()

from django.db import transaction  # noqa: E402 - Django must be set up first

from notifications.queue.claim import claim_next  # noqa: E402

_CLAIMS = 30


def claim_ms() -> float:
    """One claim, in milliseconds."""
    with transaction.atomic():
        began_at = time.perf_counter()
        claim_next()
        taken = time.perf_counter() - began_at
        transaction.set_rollback(True)
    return taken * 1000


if __name__ == "__main__":
    claim_ms()
    print(statistics.median(claim_ms() for _ in range(_CLAIMS)))
