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

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.config.name


def usable_routes() -> list[Route]:
    """The providers that may be used now, or be probed now; one query."""
    rows = usable_providers()
    for _, row in rows:
        remember(row)
    return [
        Route(config, row.id, row.weight, is_probe=row.breaker_until is not None)
        for config, row in rows
    ]


def choose_provider(
    routes: Sequence[Route], *, tried: Collection[str], partial: bool
) -> Route | None:
    """Choose at random, by weight, among `routes` that were not tried yet.

    A `partial` hand-off leaves out recipients that the headers name; only providers that keep
    envelope and headers apart can do that. None when there is no provider left to ask.
    """
    candidates = [
        route
        for route in routes
        if route.name not in tried and (route.config.separates_envelope or not partial)
    ]
    if not candidates:
        return None
    weights = [route.weight for route in candidates]
    return random.choices(candidates, weights)[0]  # noqa: S311 - spreading load is no secret
