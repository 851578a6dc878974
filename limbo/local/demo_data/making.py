"""Making up so many messages in the database that Django is set up on."""

import time

from limbo.local.demo_data.chunk import Plan
from limbo.local.demo_data.loading import Tell, load
from limbo.local.demo_data.owners import ensure_owners, ensure_providers, refuse_used
from limbo.local.demo_data.times import SECOND


def make(count: int, *, add: bool, stays: bool, tell: Tell, seed: int | None = None) -> None:
    """Load `count` messages of the last 30 days.

    Raises RunError where the database has messages and it is not said to `add` to them. With
    `stays` no worker will send those that are open, whatever its providers are.
    """
    refuse_used(add=add)
    now = int(time.time() * SECOND)
    plan = Plan(
        count=count,
        now=now,
        owners=ensure_owners(),
        ways=ensure_providers(),
        seed=now if seed is None else seed,
        stays=stays,
    )
    load(plan, tell=tell)
