"""Which provider gets the next hand-off."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from notifications.delivery.providers import ProviderConfig, usable_providers


@dataclass(frozen=True, slots=True)
class Route:
    """A provider that may be used now."""

    config: ProviderConfig
    provider_id: int
    weight: int

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.config.name


def usable_routes() -> list[Route]:
    """The providers that are configured, enabled and neither at fault nor closed; one query."""
    return [
        Route(config=config, provider_id=row.id, weight=row.weight)
        for config, row in usable_providers()
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
