"""Hand-offs of which nobody knows whether their provider accepted them.

Such a one is never sent again by itself, but where the provider itself tells copies apart: one that
takes our key for a hand-off answers a repeat under the same key without sending a second copy.
"""

from datetime import timedelta

from notifications.delivery.providers import configured_providers
from notifications.delivery.retry import next_delay
from notifications.history.changes import Change
from notifications.models.ids import AnyId
from notifications.models.state import State

WORKER_LOST = "worker_lost"
"""The reading of an attempt whose worker ended without an answer."""

_ON_ITS_WAY = timedelta(minutes=5)
"""More than a repeat takes from here to its provider: a batch's time, then a hand-off's."""


def may_repeat(provider: str, *, age: timedelta) -> bool:
    """Whether `provider` will know the key of a hand-off that was first tried `age` ago.

    It must know it when the repeat arrives, not only when the repeat is begun.
    """
    config = configured_providers().get(provider)
    return config is not None and age + _ON_ITS_WAY < config.key_lifetime


def doubt(delivery_id: AnyId, *, provider: str) -> Change:
    """The step of a delivery whose worker ended while `provider` may have accepted it.

    Where the provider takes the same key again, its repeat is due after a wait.
    """
    repeats = may_repeat(provider, age=timedelta())
    data = {"provider": provider, "reading": WORKER_LOST}
    wait = next_delay(0) if repeats else 0.0
    return Change(
        delivery_id, State.UNCERTAIN, data=data, wait=wait, repeats=repeats, backs_off=repeats
    )
