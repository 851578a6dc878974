"""The providers that one batch may still use."""

from collections.abc import Collection, Iterable

from notifications.delivery.breaker import take_probe
from notifications.delivery.routing import Route, choose_provider


class Routes:
    """What was usable when the batch began, less what has proved unusable since.

    A provider whose breaker is open for a probe only is used for one hand-off at most.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {route.name: route for route in routes}

    def choose(self, *, tried: Collection[str], partial: bool) -> Route | None:
        """Choose the provider of the next hand-off, and take its probe where it needs one."""
        while route := self._next(tried=tried, partial=partial):
            if not route.is_probe:
                return route
            self.drop([route.name])
            if take_probe(route.name):
                return route
        return None

    def named(self, name: str) -> Route | None:
        """The provider `name` itself, for what no other can do; None while it cannot be used."""
        route = self._routes.get(name)
        return None if route is None or route.is_probe else route

    def has_more(self, *, tried: Collection[str], partial: bool) -> bool:
        """Whether a provider is left to ask."""
        return self._next(tried=tried, partial=partial) is not None

    def drop(self, names: Iterable[str]) -> None:
        """Use the providers `names` no more."""
        for name in names:
            self._routes.pop(name, None)

    def share(self, threads: int) -> int:
        """How many of `threads` one provider may hold: half of them while there are others."""
        return threads if len(self._routes) < 2 else max(1, threads // 2)

    def __bool__(self) -> bool:
        return bool(self._routes)

    def _next(self, *, tried: Collection[str], partial: bool) -> Route | None:
        return choose_provider(list(self._routes.values()), tried=tried, partial=partial)
