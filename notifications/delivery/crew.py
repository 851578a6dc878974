"""A worker process's hands: strands for providers that speak SMTP, threads for all others.

Libraries for HTTP block, so each of their conversations needs a thread. Ours over SMTP share one,
which costs far less, and lets as many go on at once as a provider far away asks for.
"""

import os
import threading
from collections.abc import Callable, Collection, Sequence

from django.conf import settings

from notifications.delivery.jobs import Job, Results
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.squad import Squad
from notifications.delivery.strands import run_as_strands
from notifications.models.lease import boottime


class Crew:
    """So many hands of either kind; they begin when there is work for them."""

    def __init__(self, hands: int) -> None:
        self.hands = hands
        self._by_smtp = Squad(hands, run_as_strands)
        self._others = Squad(hands, _run_as_threads)

    def start(self, jobs: Collection[Job], results: Results) -> None:
        """Hand `jobs` over as hands become free; how each ends is put into `results`."""
        for squad in self._squads:
            if own := [job for job in jobs if self._squad_of(job.config) is squad]:
                squad.start(own, results)

    def withdraw(self, provider: str | None = None) -> list[Job]:
        """Take back the jobs that nobody has begun: all, or those of one `provider`."""
        return [job for squad in self._squads for job in squad.withdraw(provider)]

    def go_on(self) -> None:
        """Begin with those again that failed: the batch has looked, and drawn its conclusions."""
        for squad in self._squads:
            squad.go_on()

    def fall_silent(self, seconds: float) -> None:
        """Begin nothing more, and wait for what is on the wire, at most so long."""
        self.withdraw()
        until = boottime() + seconds
        for squad in self._squads:
            squad.wait_until_quiet(until=until)

    @property
    def _squads(self) -> tuple[Squad, ...]:
        return self._by_smtp, self._others

    def _squad_of(self, config: ProviderConfig) -> Squad:
        return self._by_smtp if config.is_smtp else self._others


def _run_as_threads(works: Sequence[Callable[[], None]]) -> None:
    for number, work in enumerate(works):
        threading.Thread(target=work, daemon=True, name=f"handoff-{number}").start()


_crews: dict[int, Crew] = {}


def crew() -> Crew:
    """This process's crew, made on first use: threads do not survive a fork."""
    pid = os.getpid()
    if pid not in _crews:
        _crews.clear()
        _crews[pid] = Crew(settings.LIMBO_THREADS)
    return _crews[pid]
