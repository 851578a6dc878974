"""Staff's switches: which providers are used, how much, and how that reaches workers at work.

A batch reads the providers when it begins; one that lasts looks at the switches again every second,
so that a slow provider that is switched off does not get what still waits for it in the worker.
"""

from collections.abc import Iterable

from notifications.delivery.routes import Routes
from notifications.delivery.steadfast import steadfast
from notifications.models import Provider
from notifications.models.lease import boottime

LOOK_SECONDS = 1.0
"""How often a batch that is under way looks at the switches."""


class Switches:
    """What staff have switched since a batch began."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._looked_at = boottime()

    def switched_off(self) -> Iterable[str]:
        """Use no more what was switched off, begin nothing with what drains; looks now and then.

        Returns the names of those that were switched off.
        """
        if boottime() - self._looked_at < LOOK_SECONDS:
            return ()
        self._looked_at = boottime()
        rows = steadfast(self._read)
        off = self._routes.names - {name for name, _ in rows}
        self._routes.drop(off)
        self._routes.drain(name for name, is_draining in rows if is_draining)
        return off

    def _read(self) -> list[tuple[str, bool]]:
        """The names of those that are on, each with whether it drains."""
        on = Provider.objects.filter(name__in=self._routes.names, enabled=True)
        return list(on.values_list("name", "is_draining"))


def enable(name: str) -> None:
    """Use provider `name`: its fault is forgotten, and it drains no more."""
    Provider.objects.filter(name=name).update(enabled=True, is_draining=False, fault="")


def drain(name: str) -> None:
    """Begin nothing new through provider `name`; what is under way comes to its end."""
    Provider.objects.filter(name=name).update(is_draining=True)


def disable(name: str) -> None:
    """Send nothing through provider `name`: only what is on the wire ends."""
    Provider.objects.filter(name=name).update(enabled=False, is_draining=False)


def weigh(name: str, weight: int) -> None:
    """Set the share of provider `name` among the hand-offs."""
    Provider.objects.filter(name=name).update(weight=weight)
