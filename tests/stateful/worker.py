"""One worker process, led step by step through the same code that a real one runs.

What is the process's own (journal, crew, stop flag, what it knows of breakers) is here the
worker's own. Each hand-off runs in a thread, as in a real crew, but only while the machine waits
for it: nothing happens at the same time as anything else.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from unittest import mock

from notifications import failpoints
from notifications.delivery import batch as delivery
from notifications.delivery import breaker
from notifications.delivery.batch import Batch, deliver_batch
from notifications.delivery.crew import Crew
from notifications.delivery.handoff import (
    Following,
    HandoffRequest,
    HandoffResult,
    Verdict,
    nobody_knows,
)
from notifications.delivery.jobs import Ended, Job, Results
from notifications.delivery.journal import Journal
from notifications.delivery.provider_config import ProviderConfig
from notifications.delivery.reading import Reading
from notifications.delivery.squad import Hand as CrewHand
from notifications.delivery.squad import Squad
from notifications.delivery.stop_flag import stop_flag
from notifications.delivery.strands import Bell
from notifications.models.lease import Lease, boottime
from notifications.queue.claim import Claim, claim_next
from tests.stateful.providers import Passage, Providers

_PATIENCE_SECONDS = 60.0


class KilledError(BaseException):
    """The process is gone: nothing catches this, as nothing catches SIGKILL."""


Order = Callable[[], HandoffResult | None]
"""What a hand does next: go on (None), or come back with a result."""


def _be_killed(*_where: str) -> None:
    raise KilledError


class Hand:
    """One hand of the crew in a thread, with its one job."""

    def __init__(self, squad: Squad, job: Job, results: Results, world: Providers):
        self.job = job
        self.passage: Passage | None = None
        """Since it is on the wire."""
        self.is_over = False
        self._squad = squad
        self._results = results
        self._world = world
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._stops: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()
        self._wait()

    def go_on(self) -> None:
        """From the connection to the wire, unless it may not."""
        self._order(lambda: None)

    def come_back(self, result: HandoffResult) -> None:
        """End with what the provider said, or did not say."""
        self._order(lambda: result)

    def is_unreachable(self) -> None:
        """The connection fails before anything was sent."""
        self.come_back(HandoffResult.for_all(self.job.request, Verdict(Reading.UNREACHABLE)))

    def die(self) -> None:
        """With its process."""
        self._order(_be_killed)

    def _order(self, order: Order) -> None:
        if not self.is_over:
            self._orders.put(order)
            self._wait()

    def _wait(self) -> None:
        self.is_over = self._stops.get(timeout=_PATIENCE_SECONDS) == "over"

    def _work(self) -> None:
        hand = CrewHand(self._squad)
        hand._transports[self.job.config] = _Transport(self)
        try:
            ended = Ended.with_result(self.job, hand.end(self.job))
            self._squad.done(ended, hand)
            self._results.put(ended)
        except KilledError:
            pass
        finally:
            self._stops.put("over")

    def stop(self) -> HandoffResult | None:
        """In its thread: wait for the next order."""
        self._stops.put("waits")
        return self._orders.get()()

    def arrive(self, request: HandoffRequest) -> None:
        """In its thread: all of it is sent."""
        self.passage = self._world.arrive(self.job.config.name, request)


class _Transport:
    """Stops before the first write that counts, and again before the answer."""

    separates_envelope = True

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def send(
        self,
        request: HandoffRequest,
        *,
        commit: Callable[[], None],
        deadline: float,
        following: Following = nobody_knows,
    ) -> HandoffResult:
        """Be led through one hand-off."""
        result = self._hand.stop()
        if result is not None:
            return result
        commit()
        self._hand.arrive(request)
        result = self._hand.stop()
        assert result is not None
        return result

    def close_if_idle(self) -> None:
        """There is no connection."""

    def close(self) -> None:
        """There is no connection."""


class _LedCrew(Crew):
    """A crew whose hands begin a job when they are told to."""

    def __init__(self, hands: int) -> None:
        super().__init__(hands)
        self.squad = Squad(hands, lambda _works: None)
        self._idle = CrewHand(self.squad)
        self._idle.bell = Bell()

    def next_job(self) -> tuple[Job, Results] | None:
        """What a hand may begin now."""
        return self.squad.next_job(self._idle, 0)

    @property
    def is_busy(self) -> bool:
        """Whether a job waits for a hand."""
        return bool(self.squad._waiting)

    @property
    def _squads(self) -> tuple[Squad, ...]:
        return (self.squad,)

    def _squad_of(self, config: ProviderConfig) -> Squad:
        return self.squad


class Worker:
    """One worker process."""

    def __init__(self, number: int, folder: Path, world: Providers) -> None:
        self.number = number
        self._folder = folder
        self._world = world
        self._start()

    def _start(self) -> None:
        self.journal = Journal(self._folder)
        self.crew = _LedCrew(hands=4)
        self.hands: list[Hand] = []
        self.claim: Claim | None = None
        self._claimed_at = 0.0
        self.batch: Batch | None = None
        self.is_stopping = False
        self._has_begun = False
        self._known: dict[str, Any] = {}

    @property
    def is_idle(self) -> bool:
        """Whether it has nothing to do."""
        return self.claim is None and self.batch is None

    # -- its steps ---------------------------------------------------------------------------

    def work(self, *, limit: int = 3, dies: bool = False) -> None:
        """Make the next step: claim, take up, commit, or record and let go.

        With `dies` it is killed at the first failpoint on its way.
        """
        with self._itself(dies=dies):
            if self.batch is not None:
                self._deliver(self.batch)
            elif self.claim is not None:
                self._take_up(self.claim)
            elif not self.is_stopping:
                self._claimed_at = boottime()
                self.claim = claim_next(limit=limit)

    def begin(self) -> Hand | None:
        """Let a hand of the crew begin a job, if it may."""
        with self._itself():
            taken = self.crew.next_job()
            if taken is None:
                return None
            hand = Hand(self.crew.squad, *taken, self._world)
        self.hands = [hand, *(other for other in self.hands if not other.is_over)]
        return hand

    def go_on(self, hand: Hand) -> None:
        """Let a hand-off come to the wire."""
        with self._itself():
            hand.go_on()

    def _take_up(self, claim: Claim) -> None:
        self.claim = None
        ids = claim.message_ids
        deliver_batch(
            str(claim.token), ids, claimed_at=self._claimed_at, cluster=f"worker {self.number}"
        )

    def _keep(self, batch: Batch) -> None:
        self.batch, self._has_begun = batch, False

    def _deliver(self, batch: Batch) -> None:
        """The next part of `Batch.run`."""
        if self._has_begun:
            batch._go_on(list(self._answered(batch)))
        else:
            batch._launch()
            self._has_begun = True
        if not batch._open.total():
            self.batch = None

    def _answered(self, batch: Batch) -> Iterator[Ended]:
        yield from batch._results.take_now()

    @contextmanager
    def _itself(self, *, dies: bool = False) -> Iterator[None]:
        """Be this process for a step."""
        with ExitStack() as stack:
            for module, name, own in (
                (delivery, "_deliver", self._keep),
                (delivery, "journal", lambda: self.journal),
                (delivery, "crew", lambda: self.crew),
                (breaker, "_known", self._known),
                (failpoints, "_act", _be_killed if dies else None),
            ):
                stack.enter_context(mock.patch.object(module, name, own))
            if self.is_stopping:
                stop_flag.set()
                stack.callback(stop_flag.clear)
            yield

    # -- what befalls it ---------------------------------------------------------------------

    def die(self) -> None:
        """Be killed, and be replaced by a new one."""
        for hand in self.hands:
            hand.die()
        self.journal.close()
        self._start()

    def lose_journal(self) -> None:
        """Its file is gone, with the disk that it lay on."""
        if self.journal._file is not None:
            self.journal._file._path.unlink(missing_ok=True)

    def age(self, seconds: float) -> None:
        """Let the time pass for its clock."""
        for known in self._known.values():
            known.since -= seconds
            known.probe = known.probe and known.probe - timedelta(seconds=seconds)
        self._claimed_at -= seconds
        if self.batch is not None:
            self._lease(self.batch).until -= seconds
            self.batch._began_at -= seconds

    @staticmethod
    def _lease(batch: Batch) -> Lease:
        return batch._lease
