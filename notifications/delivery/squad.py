"""The hands that talk to providers, with persistent connections and without a database.

A provider that is slow must not hold every hand: while others are enabled it gets its share of
them only, and its other jobs wait while the rest goes on. One that fails again and again, or tells
us to wait or to go, gets no more jobs until the batch has looked at that, however long the database
takes over it.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence

from notifications.delivery.breaker import FAILURES_IN_A_ROW
from notifications.delivery.classify import fault_text
from notifications.delivery.handoff import HandoffRequest, HandoffResult, Transport, Verdict
from notifications.delivery.jobs import Ended, Job, Results, unbegun
from notifications.delivery.journal import JournalError
from notifications.delivery.providers import ProviderConfig, open_transport
from notifications.delivery.reading import FOR_ALL, Reach, Reading
from notifications.delivery.stop_flag import stop_flag
from notifications.delivery.strands import Bell
from notifications.failpoints import hit
from notifications.models.lease import HANDOFF_SECONDS, LeaseLostError, boottime

IDLE_SECONDS = 5.0
"""How often a hand without work looks whether its connections are idle for too long."""

_FAILED = Reach.FAILED  # what is looked up in an enum each time takes ten times as long

Taken = tuple[Job, Results]
"""What a hand has to do."""


class Squad:
    """A fixed number of hands with their transports, one of each provider a hand.

    Serves one batch at a time. What is still on the wire when the process ends is the journal's to
    tell: nothing waits for it.
    """

    def __init__(self, hands: int, begin: Callable[[Sequence[Callable[[], None]]], None]) -> None:
        self._hands = hands
        self._begin = begin
        self._waiting: dict[str, deque[Taken]] = {}
        self._busy: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()  # in a row, since the batch looked last
        self._idle: list[Hand] = []  # that wait to be called
        self._ahead: dict[Hand, Taken] = {}  # what each will begin when its job is done
        self._lock = threading.Lock()
        self._quiet = threading.Condition(self._lock)
        self._started = False

    def start(self, jobs: Collection[Job], results: Results) -> None:
        """Hand `jobs` over as hands become free; how each ends is put into `results`."""
        with self._lock:
            if not self._started:
                self._started = True
                self._begin([Hand(self).work for _ in range(self._hands)])
            for job in jobs:
                self._waiting.setdefault(job.config.name, deque()).append((job, results))
            self._call(len(jobs))

    def withdraw(self, provider: str | None = None) -> list[Job]:
        """Take back the jobs that nobody has begun: all, or those of one `provider`."""
        with self._lock:
            for hand, (job, _) in [*self._ahead.items()]:
                if provider in (None, job.config.name):
                    self._put_back(hand)
            names = list(self._waiting) if provider is None else [provider]
            return [job for name in names for job, _ in self._waiting.pop(name, ())]

    def go_on(self) -> None:
        """Begin with those again that failed: the batch has looked, and drawn its conclusions."""
        with self._lock:
            if any(self._failures.values()):
                self._failures.clear()
                self._call(len(self._idle))

    def wait_until_quiet(self, *, until: float) -> None:
        """Wait until nothing is on the wire any more, but not longer than `until`."""
        with self._lock:
            self._quiet.wait_for(lambda: not self._busy.total(), until - boottime())

    def next_job(self, hand: "Hand", seconds: float) -> Taken | None:
        """Wait for a job whose provider may have one more hand; None after `seconds`, or sooner."""
        with self._lock:
            taken = self._take()
            if taken is not None:
                return taken
            self._idle.append(hand)
        hand.bell.wait(seconds)
        with self._lock:
            if hand in self._idle:
                self._idle.remove(hand)
            return self._take()

    def look_ahead(self, hand: "Hand", config: ProviderConfig) -> HandoffRequest | None:
        """What `hand`, which is busy with a job of this provider, will have to hand over next.

        None if it would be another provider's, or if a hand is idle, which could begin it sooner.
        """
        with self._lock:
            name = None if self._idle else self._eligible(leaving=config.name)
            if name is None or self._waiting[name][0][0].config is not config:
                return None
            self._ahead[hand] = job, _ = self._pop(name)
            return job.request

    def done(self, ended: Ended, hand: "Hand") -> Taken | None:
        """The job of `hand` is done; returns what it is to go on with, if that is settled."""
        name = ended.job.config.name
        with self._lock:
            failures = self._failures[name] = self._failures_after(ended)
            if failures >= FAILURES_IN_A_ROW:
                self._put_back(hand)
            if hand in self._ahead:
                return self._ahead.pop(hand)
            self._busy[name] -= 1
            if not self._busy.total():
                self._quiet.notify_all()
            return None

    def _take(self) -> Taken | None:
        name = self._eligible()
        if name is None:
            return None
        chosen = self._pop(name)
        self._busy[name] += 1
        # `done` calls nobody: whoever has done one comes here for the next, and then others
        if self._idle and self._eligible() is not None:
            self._call(1)
        return chosen

    def _call(self, count: int) -> None:
        """Call so many of the idle; those first who were busy last, and have a connection."""
        for _ in range(min(count, len(self._idle))):
            self._idle.pop().bell.ring()

    def _pop(self, name: str) -> Taken:
        """The next job of a provider, which goes to the end of the line: they take turns."""
        jobs = self._waiting.pop(name)
        chosen = jobs.popleft()
        if jobs:
            self._waiting[name] = jobs
        return chosen

    def _put_back(self, hand: "Hand") -> None:
        """What was promised to `hand` waits again, before all others."""
        if hand in self._ahead:
            job, results = self._ahead.pop(hand)
            self._waiting.setdefault(job.config.name, deque()).appendleft((job, results))

    def _failures_after(self, ended: Ended) -> int:
        """In a row; one refusal that is meant for all hand-offs is as good as many."""
        for verdict in ended.result.verdicts.values():
            if verdict.reading in FOR_ALL:
                return FAILURES_IN_A_ROW
        return self._failures[ended.job.config.name] + 1 if ended.reach is _FAILED else 0

    def _eligible(self, *, leaving: str = "") -> str | None:
        """The provider whose turn it is; as if a hand that is at one had left it."""
        for name, jobs in self._waiting.items():
            is_failing = self._failures[name] >= FAILURES_IN_A_ROW
            if self._busy[name] - (name == leaving) < jobs[0][0].share and not is_failing:
                return name
        return None


class Hand:
    """One course of work: a thread or a strand, which begins with `work`."""

    bell: Bell

    def __init__(self, squad: Squad) -> None:
        self._squad = squad
        self._transports: dict[ProviderConfig, Transport] = {}

    def work(self) -> None:
        """Take jobs for as long as the process lives."""
        self.bell = Bell()
        taken = None
        while True:
            taken = taken or self._squad.next_job(self, IDLE_SECONDS)
            if taken is None:
                self._close_idle()
                continue
            job, results = taken
            ended = Ended.with_result(job, self.end(job))
            # free before the result is known: who waits for results may start the next job
            taken = self._squad.done(ended, self)
            results.put(ended)

    def end(self, job: Job) -> HandoffResult:
        """Hand over, whatever happens: every job that was started must end."""
        subject = job.request.outgoing.subject
        result = self._run(job)
        hit("after_reply", subject)
        job.journal.ended(job.request.handoff_id, result)
        hit("after_journal", subject)
        return result

    def _run(self, job: Job) -> HandoffResult:
        if job.lease.remaining() < HANDOFF_SECONDS or stop_flag.is_set():
            return unbegun(job, Reading.NOT_BEGUN).result
        permission = _Permission(job)
        hit("build", job.request.outgoing.subject)
        try:
            return self._transport(job.config).send(
                job.request,
                commit=permission.ask,
                deadline=boottime() + HANDOFF_SECONDS,
                following=lambda: self._squad.look_ahead(self, job.config),
            )
        except (LeaseLostError, JournalError):
            return unbegun(job, Reading.NOT_BEGUN).result
        except Exception as error:  # noqa: BLE001 - a transport's own fault must not lose the hand-off
            reading = Reading.AMBIGUOUS if permission.is_given else Reading.UNBUILDABLE
            return HandoffResult.for_all(job.request, Verdict(reading, answer=fault_text(error)))

    def _transport(self, config: ProviderConfig) -> Transport:
        transport = self._transports.get(config)
        if transport is None:
            transport = self._transports[config] = open_transport(config)
        return transport

    def _close_idle(self) -> None:
        for transport in self._transports.values():
            transport.close_if_idle()


class _Permission:
    """What a transport must ask for before the first write that may get the message accepted."""

    def __init__(self, job: Job) -> None:
        self.is_given = False
        self._job = job

    def ask(self) -> None:
        """Raises LeaseLostError or JournalError: nothing may be written."""
        job = self._job
        if job.lease.remaining() <= 0:
            raise LeaseLostError
        job.journal.begun(job.request.handoff_id)
        self.is_given = True
        hit("before_dot", job.request.outgoing.subject)
