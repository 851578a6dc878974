"""The threads that talk to providers. They hold persistent connections and no database.

A provider that is slow must not hold every thread: while others are enabled it gets its share of
them only, and its other jobs wait while the rest goes on. One that fails again and again, or tells
us to wait or to go, gets no more jobs until the batch has looked at that, however long the database
takes over it.
"""

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from django.conf import settings

from notifications.delivery.breaker import FAILURES_IN_A_ROW
from notifications.delivery.classify import fault_text
from notifications.delivery.handoff import HandoffRequest, HandoffResult, Transport, Verdict
from notifications.delivery.journal import Journal, JournalError
from notifications.delivery.providers import ProviderConfig, open_transport
from notifications.delivery.reading import Reach, Reading, reach_of
from notifications.delivery.stop_flag import stop_flag
from notifications.failpoints import hit
from notifications.models.lease import HANDOFF_SECONDS, Lease, LeaseLostError, boottime

IDLE_SECONDS = 5.0
"""How often a thread without work looks whether its connections are idle for too long."""


@dataclass(frozen=True, slots=True)
class Job:
    """One hand-off that is committed as in flight."""

    request: HandoffRequest
    config: ProviderConfig
    lease: Lease
    journal: Journal
    share: int
    """How many threads its provider may hold at once."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job and how it ended."""

    job: Job
    result: HandoffResult
    reach: Reach = field(init=False)
    """What it says about whether its provider works at all."""

    def __post_init__(self) -> None:
        """Read the verdicts once."""
        reach = reach_of(verdict.reading for verdict in self.result.verdicts.values())
        object.__setattr__(self, "reach", reach)


class Results(Protocol):
    """Where hand-offs' ends go."""

    def put(self, ended: Ended, /) -> None:
        """Take one; called by the crew's threads."""


_Taken = tuple[Job, Results]


def unbegun(job: Job, reading: Reading) -> Ended:
    """The end of a job of which nothing has reached its provider."""
    return Ended(job, HandoffResult.for_all(job.request, Verdict(reading)))


class Crew:
    """A fixed number of threads with their transports, one of each provider a thread.

    Serves one batch at a time. Its threads are daemons: what is still on the wire when the process
    ends is the journal's to tell.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._waiting: dict[str, deque[tuple[Job, Results]]] = {}
        self._busy: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()  # in a row, since the batch looked last
        self._idle = 0  # threads that wait for a job
        self._ahead: dict[_Hand, _Taken] = {}  # what each will begin when its job is done
        self._changed = threading.Condition()
        self._started = False

    def start(self, jobs: Collection[Job], results: Results) -> None:
        """Hand `jobs` over as threads become free; how each ends is put into `results`."""
        with self._changed:
            self._start_threads()
            for job in jobs:
                self._waiting.setdefault(job.config.name, deque()).append((job, results))
            self._changed.notify(len(jobs))

    def withdraw(self, provider: str | None = None) -> list[Job]:
        """Take back the jobs that no thread has begun: all, or those of one `provider`."""
        with self._changed:
            for hand, (job, _) in [*self._ahead.items()]:
                if provider in (None, job.config.name):
                    self._put_back(hand)
            names = list(self._waiting) if provider is None else [provider]
            return [job for name in names for job, _ in self._waiting.pop(name, ())]

    def go_on(self) -> None:
        """Begin with those again that failed: the batch has looked, and drawn its conclusions."""
        with self._changed:
            if any(self._failures.values()):
                self._failures.clear()
                self._changed.notify_all()

    def fall_silent(self, seconds: float) -> None:
        """Begin nothing more, and wait for what is on the wire, at most so long."""
        self.withdraw()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy.total(), seconds)

    def _start_threads(self) -> None:
        if self._started:
            return
        self._started = True
        for number in range(self.threads):
            name = f"handoff-{number}"
            threading.Thread(target=_Hand(self).work, daemon=True, name=name).start()

    def next_job(self, seconds: float) -> _Taken | None:
        """Wait for a job whose provider may have one more thread; None after `seconds`."""
        with self._changed:
            name = self._eligible() or self._wait_for_eligible(seconds)
            if name is None:
                return None
            chosen = self._pop(name)
            self._busy[name] += 1
            # `done` wakes nobody: whoever has done one comes here for the next, and then others
            if self._idle and self._eligible() is not None:
                self._changed.notify()
            return chosen

    def look_ahead(self, hand: "_Hand", config: ProviderConfig) -> Job | None:
        """The job that `hand`, which is busy with one of this provider, will have next.

        None if it would be another provider's, or if a thread is idle, which could begin it sooner.
        """
        with self._changed:
            name = None if self._idle else self._eligible(leaving=config.name)
            if name is None or self._waiting[name][0][0].config != config:
                return None
            self._ahead[hand] = self._pop(name)
            return self._ahead[hand][0]

    def done(self, ended: Ended, hand: "_Hand") -> _Taken | None:
        """The job of `hand` is done; returns what it is to go on with, if that is settled."""
        name = ended.job.config.name
        with self._changed:
            self._failures[name] = self._failures_after(ended)
            if self._failures[name] >= FAILURES_IN_A_ROW:
                self._put_back(hand)
            if hand in self._ahead:
                return self._ahead.pop(hand)
            self._busy[name] -= 1
            if not self._busy.total():
                self._changed.notify_all()
            return None

    def _pop(self, name: str) -> _Taken:
        """The next job of a provider, which goes to the end of the line: they take turns."""
        jobs = self._waiting.pop(name)
        chosen = jobs.popleft()
        if jobs:
            self._waiting[name] = jobs
        return chosen

    def _put_back(self, hand: "_Hand") -> None:
        """What was promised to `hand` waits again, before all others."""
        if hand in self._ahead:
            job, results = self._ahead.pop(hand)
            self._waiting.setdefault(job.config.name, deque()).appendleft((job, results))

    def _failures_after(self, ended: Ended) -> int:
        """In a row; one refusal that is meant for all hand-offs is as good as many."""
        readings = {verdict.reading for verdict in ended.result.verdicts.values()}
        if not readings.isdisjoint((Reading.MISCONFIGURED, Reading.EXHAUSTED)):
            return FAILURES_IN_A_ROW
        return self._failures[ended.job.config.name] + 1 if ended.reach is Reach.FAILED else 0

    def _wait_for_eligible(self, seconds: float) -> str | None:
        self._idle += 1
        try:
            self._changed.wait_for(lambda: self._eligible() is not None, seconds)
        finally:
            self._idle -= 1
        return self._eligible()

    def _eligible(self, *, leaving: str = "") -> str | None:
        """The provider whose turn it is; as if a thread that is at one had left it."""
        for name, jobs in self._waiting.items():
            is_failing = self._failures[name] >= FAILURES_IN_A_ROW
            if self._busy[name] - (name == leaving) < jobs[0][0].share and not is_failing:
                return name
        return None


class _Hand:
    """One thread of a crew."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._transports: dict[ProviderConfig, Transport] = {}

    def work(self) -> None:
        """Take jobs for as long as the process lives."""
        taken = None
        while True:
            taken = taken or self._crew.next_job(IDLE_SECONDS)
            if taken is None:
                self._close_idle()
                continue
            job, results = taken
            ended = Ended(job, self._end(job))
            # free before the result is known: who waits for results may start the next job
            taken = self._crew.done(ended, self)
            results.put(ended)

    def _end(self, job: Job) -> HandoffResult:
        """Hand over, whatever happens: every job that was started must end."""
        result = self._run(job)
        hit("after_reply", job.request.outgoing.subject)
        job.journal.ended(job.request.handoff_id, result)
        hit("after_journal", job.request.outgoing.subject)
        return result

    def _run(self, job: Job) -> HandoffResult:
        if job.lease.remaining() < HANDOFF_SECONDS or stop_flag.is_set():
            return unbegun(job, Reading.NOT_BEGUN).result
        begun = threading.Event()
        hit("build", job.request.outgoing.subject)
        try:
            return self._transport(job.config).send(
                job.request,
                commit=_permission(job, begun.set),
                deadline=boottime() + HANDOFF_SECONDS,
                following=lambda: self._following(job.config),
            )
        except (LeaseLostError, JournalError):
            return unbegun(job, Reading.NOT_BEGUN).result
        except Exception as error:  # noqa: BLE001 - a transport's own fault must not lose the hand-off
            reading = Reading.AMBIGUOUS if begun.is_set() else Reading.UNBUILDABLE
            return HandoffResult.for_all(job.request, Verdict(reading, answer=fault_text(error)))

    def _following(self, config: ProviderConfig) -> HandoffRequest | None:
        job = self._crew.look_ahead(self, config)
        return job.request if job else None

    def _transport(self, config: ProviderConfig) -> Transport:
        if config not in self._transports:
            self._transports[config] = open_transport(config)
        return self._transports[config]

    def _close_idle(self) -> None:
        for transport in self._transports.values():
            transport.close_if_idle()


def _permission(job: Job, note: Callable[[], None]) -> Callable[[], None]:
    """What a transport must ask before the first write that may get the message accepted."""

    def ask() -> None:
        if job.lease.remaining() <= 0:
            raise LeaseLostError
        job.journal.begun(job.request.handoff_id)
        note()
        hit("before_dot", job.request.outgoing.subject)

    return ask


_crews: dict[int, Crew] = {}


def crew() -> Crew:
    """This process's crew, made on first use: threads do not survive a fork."""
    pid = os.getpid()
    if pid not in _crews:
        _crews.clear()
        _crews[pid] = Crew(settings.LIMBO_THREADS)
    return _crews[pid]
