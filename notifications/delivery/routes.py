"""The providers that one batch may still use."""

from collections.abc import Iterable, Sequence

from notifications.delivery.breaker import release_probe, take_probe
from notifications.delivery.routing import Route, Wish, candidates, choose_provider
from notifications.delivery.sandbox import IN_SANDBOX


class Routes:
    """What was usable when the batch began, less what has proved unusable since.

    A provider whose breaker waits for its probe gets one hand-off of the first wave at most, and
    only from the batch that has won the probe. The sandbox is apart: test messages have that alone.
    """

    def __init__(self, routes: Iterable[Route], *, sandbox: Route | None = None) -> None:
        self._sandbox = sandbox
        routes = list(routes)
        self._routes = {route.name: route for route in routes if not route.is_draining}
        self._draining = {route.name: route for route in routes if route.is_draining}
        self._left: dict[tuple[frozenset[str], bool, Wish | None], Sequence[Route]] = {}

    def take_probes(self) -> None:
        """Win the probes that are to be had; what others probe is not for this batch.

        Before the first wave and outside its transaction: a provider's row must not stay locked.
        """
        self.drop([route.name for route in self._probes() if not take_probe(route.name)])

    def give_back_probes(self) -> None:
        """Leave the probes that the first wave had no use for to another batch."""
        for route in self._probes():
            release_probe(route.name)
            self.drop([route.name])

    def choose(
        self, *, tried: frozenset[str], partial: bool, wish: Wish | None = None
    ) -> Route | None:
        """Choose the provider of the next hand-off; one that is probed is chosen once."""
        route = choose_provider(self._left_to_ask(tried, partial, wish))
        if route is not None and route.is_probe:
            self.drop([route.name])
        return route

    def named(self, name: str) -> Route | None:
        """The provider `name` itself, for what no other can do; None while it cannot be used."""
        route = self._routes.get(name) or self._draining.get(name)
        return None if route is None or route.is_probe else route

    def has_more(self, *, tried: frozenset[str], partial: bool, wish: Wish | None = None) -> bool:
        """Whether a provider is left to ask."""
        return bool(self._left_to_ask(tried, partial, wish))

    def has_any(self, wish: Wish | None) -> bool:
        """Whether a provider can be used that the message may go through."""
        if wish is IN_SANDBOX:
            return self._sandbox is not None
        return any(wish is None or wish.allows(name) for name in self._routes)

    def drop(self, names: Iterable[str]) -> None:
        """Use the providers `names` no more."""
        self._left.clear()
        for name in names:
            self._routes.pop(name, None)
            self._draining.pop(name, None)

    def drain(self, names: Iterable[str]) -> None:
        """Begin nothing new through the providers `names`."""
        self._left.clear()
        for name in names:
            if name in self._routes:
                self._draining[name] = self._routes.pop(name)

    @property
    def names(self) -> set[str]:
        """All that may still be used for something."""
        return {*self._routes, *self._draining}

    def share(self, hands: int) -> int:
        """How many of `hands` one provider may hold: half of them while there are others."""
        return hands if len(self._routes) < 2 else max(1, hands // 2)

    def _probes(self) -> list[Route]:
        return [route for route in self._routes.values() if route.is_probe]

    def _left_to_ask(
        self, tried: frozenset[str], partial: bool, wish: Wish | None
    ) -> Sequence[Route]:
        """Looked for once for all messages that ask for the same."""
        if wish is IN_SANDBOX:
            return [] if self._sandbox is None or self._sandbox.name in tried else [self._sandbox]
        asked = tried, partial, wish
        if asked not in self._left:
            routes = self._routes.values()
            self._left[asked] = candidates(routes, tried=tried, partial=partial, wish=wish)
        return self._left[asked]
