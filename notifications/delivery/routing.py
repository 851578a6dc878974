"""Which provider gets the next hand-off."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from notifications.delivery.breaker import remember
from notifications.delivery.providers import ProviderConfig, usable_providers


@dataclass(frozen=True, slots=True)
class Route:
    """A provider that may be used now."""

    config: ProviderConfig
    provider_id: int
    weight: int
    is_probe: bool = False
    """Its breaker waits for a probe: who wins `take_probe` may begin one hand-off through it."""
    is_draining: bool = False
    """It begins nothing new: what it alone can bring to its end still goes through it."""

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.config.name


@dataclass(frozen=True, slots=True)
class Wish:
    """Which provider a message's sender wants."""

    provider: str
    failover: bool
    """Whether others are asked where it cannot take it."""

    def allows(self, provider: str) -> bool:
        """Whether the message may go through `provider` at all."""
        return self.failover or provider == self.provider


def usable_routes() -> list[Route]:
    """The providers that may be used now, or be probed now; one query."""
    rows = usable_providers()
    for _, row in rows:
        remember(row)
    return [
        Route(
            config,
            row.id,
            row.weight,
            is_probe=row.breaker_until is not None,
            is_draining=row.is_draining,
        )
        for config, row in rows
    ]


def choose_provider(
    routes: Sequence[Route], *, tried: Collection[str], partial: bool, wish: Wish | None = None
) -> Route | None:
    """Choose among `routes` that were not tried yet: the wished one, else at random, by weight.

    A `partial` hand-off leaves out recipients that the headers name; only providers that keep
    envelope and headers apart can do that. None when there is no provider left to ask.
    """
    candidates = [
        route
        for route in routes
        if route.name not in tried and (route.config.separates_envelope or not partial)
    ]
    if wish is not None:
        wished = [route for route in candidates if route.name == wish.provider]
        candidates = wished if wished or not wish.failover else candidates
    if not candidates:
        return None
    weights = [route.weight for route in candidates]
    return random.choices(candidates, weights)[0]  # noqa: S311 - spreading load is no secret
