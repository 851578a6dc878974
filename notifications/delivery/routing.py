"""Which provider gets the next hand-off."""

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from notifications.delivery.breaker import LETS_THROUGH, remember
from notifications.delivery.providers import ProviderConfig, configured_providers
from notifications.history.arrays import text_array
from notifications.models.prepared import prepared_cursor


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


# Each batch asks, so it must be cheap, and small batches are the rule: prepared, and not by models.
_USABLE = f"""
SELECT name, id, weight, breaker_until IS NOT NULL, is_draining, failures + window_failures > 0
FROM notifications_provider
WHERE name = ANY(%s::text[]) AND enabled AND fault = ''
    AND coalesce(closed_until <= statement_timestamp(), true) AND {LETS_THROUGH}
ORDER BY name
"""  # noqa: S608 - made of constants


def usable_routes() -> list[Route]:
    """The providers that may be used now, or be probed now; one query.

    They are configured, enabled and neither at fault nor closed: by `close_provider` or by the
    breaker, both by the database's clock.
    """
    configs = configured_providers()
    with prepared_cursor() as cursor:
        cursor.execute(_USABLE, [text_array(configs)])
        rows = cursor.fetchall()
    for name, *_, is_troubled in rows:
        remember(name, is_troubled=is_troubled)
    return [
        Route(configs[name], provider_id, weight, is_probe=is_probe, is_draining=is_draining)
        for name, provider_id, weight, is_probe, is_draining, _ in rows
    ]


def candidates(
    routes: Iterable[Route], *, tried: Collection[str], partial: bool, wish: Wish | None
) -> list[Route]:
    """Those of `routes` that are left to ask: the wished one alone, else all untried ones.

    A `partial` hand-off leaves out recipients that the headers name; only providers that keep
    envelope and headers apart can do that.
    """
    left = [
        route
        for route in routes
        if route.name not in tried and (not partial or route.config.separates_envelope)
    ]
    if wish is not None:
        wished = [route for route in left if route.name == wish.provider]
        left = wished if wished or not wish.failover else left
    return left


def choose_provider(routes: Sequence[Route]) -> Route | None:
    """Choose one of `routes` at random, by weight; None if there is none."""
    if len(routes) < 2:
        return routes[0] if routes else None
    weights = [route.weight for route in routes]
    return random.choices(routes, weights)[0]  # noqa: S311 - spreading load is no secret
