"""Delivering a claimed batch: commit what is in flight, hand over, record, fail over, let go.

The thread that runs the batch is the only one that touches the database; the crew's hands are
the only ones that touch providers. They meet in two queues.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from notifications.delivery.crew import Crew, crew
from notifications.delivery.decision import (
    SETTLING,
    After,
    Decided,
    Next,
    Progress,
    decide,
    decide_repeat,
    give_up,
    settle,
)
from notifications.delivery.doubt import may_repeat
from notifications.delivery.handoff import Verdict
from notifications.delivery.jobs import Ended, Job, unbegun
from notifications.delivery.journal import Journal, JournalError, journal
from notifications.delivery.launch import Launcher
from notifications.delivery.loading import DueMessage, load_due
from notifications.delivery.reading import RULES, Reading
from notifications.delivery.results import BatchResults
from notifications.delivery.routes import Routes
from notifications.delivery.routing import usable_routes
from notifications.delivery.sandbox import report, sandbox_route
from notifications.delivery.standing import note_provider_faults
from notifications.delivery.steadfast import steadfast
from notifications.delivery.stop_flag import stop_flag
from notifications.delivery.switches import Switches
from notifications.failpoints import hit
from notifications.history.changes import LetGo, change_deliveries, lock_messages
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.models import Heartbeat
from notifications.models.ids import Id
from notifications.models.lease import HANDOFF_SECONDS, Lease, boottime
from notifications.models.state import State

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.1
"""Outcomes are recorded together once in this time."""

BATCH_SECONDS = 20.0
"""After so long nothing more begins in a batch: what waits for a slow provider is let go."""

_LOOK_SECONDS = 0.1
"""How often a batch that waits for answers looks at the stop flag and the clock."""


def deliver_batch(
    token: str, message_ids: Sequence[Id], *, claimed_at: float, cluster: str
) -> None:
    """Deliver the messages that were claimed under the lease `token`, at `claimed_at`.

    The django-q2 task of the broker's claim. Messages whose lease is lost by now are left alone;
    all are let go at once when the worker is to end. Without a journal nothing is sent, and the
    lease is left to run out, so that the next try is not at once.
    """
    hit("batch_taken")
    lease = Lease(UUID(token))
    lease.hold_from(claimed_at)
    if stop_flag.is_set():
        lease.release(message_ids)
        return
    witness = journal()
    try:
        witness.begin_batch(lease.token)
    except JournalError as error:
        logger.error("Nothing is sent: %s", error)  # noqa: TRY400 - its text says what to mend
        return
    due = load_due(message_ids)
    if len(due) < len(message_ids):
        loaded = {message.id for message in due}
        lease.release([id_ for id_ in message_ids if id_ not in loaded])
    _deliver(Batch(lease, due, witness, crew(), cluster))


def _deliver(batch: "Batch") -> None:
    """Run the batch; after a fault of our own end this worker, so that its journal can tell.

    Raises SystemExit, which django-q2 does not catch: another worker takes this one's place.
    """
    try:
        batch.run()
    except Exception as error:
        logger.exception("A batch broke off; its journal tells what became of it")
        crew().fall_silent(HANDOFF_SECONDS)
        raise SystemExit(1) from error


class Batch:
    """One claimed batch on its way."""

    def __init__(
        self,
        lease: Lease,
        messages: Sequence[DueMessage],
        witness: Journal,
        crew: Crew,
        cluster: str,
    ) -> None:
        self._lease = lease
        self._crew = crew
        self._cluster = cluster
        has_tests = any(message.outgoing.is_test for message in messages)
        self._routes = Routes(usable_routes(), sandbox=sandbox_route() if has_tests else None)
        self._switches = Switches(self._routes)
        self._messages = {message.id: message for message in messages}
        # suppressed ones are not counted: they stand behind whatever a batch makes of another
        self._several = {m.id for m in messages if len(m.outgoing.recipients) > 1}
        self._launcher = Launcher(
            lease, witness, self._routes, self._messages, self._several, crew.hands
        )
        self._results = BatchResults()
        self._progress: dict[Id, Progress] = {}
        self._begun: list[Id] = []  # hand-offs that were given to the crew
        self._open: Counter[Id] = Counter()  # hand-offs under way, by message
        self._began_at = boottime()

    def run(self) -> None:
        """Deliver; returns when every hand-off has ended and is recorded."""
        self._launch()
        while self._open.total():
            self._go_on(self._collect())

    def _launch(self) -> None:
        """Start the first wave, and let go of what is not in it."""
        self._crew.go_on()
        steadfast(self._routes.take_probes)
        self._start(steadfast(self._begin, first_again=self._mend))
        steadfast(self._routes.give_back_probes)
        self._release(message_id for message_id in self._messages if not self._open[message_id])

    def _go_on(self, answered: list[Ended]) -> None:
        """Record what was `answered` or may not begin any more; keep the lease of the rest."""
        ended = [*answered, *self._take_back(self._switches.switched_off())]
        if ended:
            self._flush(ended)
        self._renew_in_time()

    @property
    def _is_over(self) -> bool:
        """Whether nothing more may begin in this batch."""
        return stop_flag.is_set() or boottime() - self._began_at > BATCH_SECONDS

    def _begin(self) -> list[Job]:
        """Commit the first wave."""
        messages = self._messages.values()
        first = [
            Progress(message, delivery, message.wish(delivery))
            for message in messages
            for delivery in message.due
        ]
        doubts = [
            Progress(message, delivery)
            for message in messages
            for repeat in message.repeats
            for delivery in repeat.in_doubt
        ]
        self._progress = {progress.delivery.delivery_id: progress for progress in [*first, *doubts]}
        if self._lease.is_to_be_renewed:
            self._lease.renew(list(self._messages))
        with transaction.atomic():
            jobs = [*self._launcher.commit(first), *self._launcher.commit_repeats()]
        hit("after_in_flight")
        return jobs

    def _mend(self) -> None:
        """Before a commit is repeated: what the lost one left in flight has not begun."""
        self._launcher.forget_unbegun(self._begun)

    def _start(self, jobs: Collection[Job]) -> None:
        self._begun += [job.request.handoff_id for job in jobs]
        self._open.update([job.request.outgoing.message_id for job in jobs])
        self._crew.start(jobs, self._results)

    def _collect(self) -> list[Ended]:
        """Wait a moment for a result, then take what else ends within the flush interval."""
        return self._results.take(
            awaited=self._open.total(), seconds=_LOOK_SECONDS, flush_seconds=FLUSH_SECONDS
        )

    def _take_back(self, providers: Iterable[str] = ()) -> list[Ended]:
        """End what no thread has begun, and may not begin any more."""
        if self._is_over:
            return [unbegun(job, Reading.NOT_BEGUN) for job in self._crew.withdraw()]
        return [
            unbegun(job, Reading.CLOSED)
            for provider in providers
            for job in self._crew.withdraw(provider)
        ]

    # -- ending ------------------------------------------------------------------------------

    def _flush(self, ended: list[Ended]) -> None:
        """Record what ended, start its next wave, and let go of the messages that are done."""
        unusable = note_provider_faults(ended)
        self._routes.drop(unusable)
        ended += self._take_back(unusable)
        self._crew.go_on()
        decided = self._decide(ended)
        idle = self._count_off(ended)
        jobs, let_go = steadfast(lambda: self._record(decided, idle), first_again=self._mend)
        hit("after_outcome")
        report([e.job.request.handoff_id for e in ended if e.job.request.outgoing.is_test])
        self._start(jobs)
        self._release(id_ for id_ in idle - let_go if not self._open[id_])

    def _count_off(self, ended: Sequence[Ended]) -> set[Id]:
        """They are under way no more; returns those of their messages of which nothing is."""
        message_ids = [end.job.request.outgoing.message_id for end in ended]
        for id_ in message_ids:  # Counter.subtract takes twice as long
            self._open[id_] -= 1
        return {id_ for id_ in message_ids if not self._open[id_]}

    def _decide(self, ended: Iterable[Ended]) -> Decided:
        decided = Decided()
        for end in ended:
            request, result, name = end.job.request, end.result, end.job.config.name
            verdicts = result.verdicts
            readings = [verdict.reading for verdict in verdicts.values()]
            if SETTLING.issuperset(readings) and not request.is_repeat:
                # as nearly all do: what may come after it need not be asked
                attempts = [settle(id_, said, provider=name) for id_, said in verdicts.items()]
            else:
                attempts = self._weigh(end, decided)
            ids = request.handoff_id, request.outgoing.message_id
            outcome = HandoffOutcome(*ids, attempts, result.provider_message_id)
            decided.outcomes.append(outcome)
        return decided

    def _weigh(self, end: Ended, decided: Decided) -> list[AttemptOutcome]:
        """Decide by what may come after it; where each delivery goes is noted in `decided`."""
        verdicts = [
            (progress, verdict)
            for id_, verdict in end.result.verdicts.items()
            if (progress := self._progress.get(id_))
        ]
        rule = decide_repeat if end.job.request.is_repeat else decide
        provider, after = end.job.config.name, self._after(end, verdicts)
        return [
            decided.follow(rule(progress, verdict, provider=provider, after=after))
            for progress, verdict in verdicts
        ]

    def _after(self, end: Ended, verdicts: Sequence[tuple[Progress, Verdict]]) -> After:
        """What may come after these."""
        request, provider = end.job.request, end.job.config.name
        states = [RULES[verdict.reading].state for _, verdict in verdicts]
        in_doubt = request.is_repeat or State.UNCERTAIN in states
        back = states.count(State.PENDING)
        more = back > 0 and self._routes.has_more(
            tried=frozenset((provider,)).union(*(progress.tried for progress, _ in verdicts)),
            partial=back < len(request.outgoing.recipients),
            wish=verdicts[0][0].wish,
        )
        repeats = in_doubt and may_repeat(provider, age=timedelta())
        return After(more_routes=more, repeats=repeats, batch_ends=self._is_over)

    def _record(self, decided: Decided, idle: set[Id]) -> tuple[list[Job], set[Id]]:
        """Record outcomes and commit the next wave, in one transaction.

        It lets go of those messages, of the `idle`, that have nothing in the next wave. Returns
        that wave, and the messages that were let go of.
        """
        outcomes = decided.outcomes
        over, again = decided.going[Next.GIVE_UP], decided.going[Next.ANOTHER_PROVIDER]
        done = idle.difference([progress.message.id for progress in again])
        let_go = LetGo(self._lease.token, done)
        with transaction.atomic():
            lock_messages({outcome.message_id for outcome in outcomes})
            unmoved = record_outcomes(outcomes, let_go=let_go, several=self._several)
            change_deliveries(give_up(over), before=(State.PENDING,))
            jobs = self._launcher.commit(again) if again else []
        moved = [
            outcome.message_id
            for outcome in outcomes
            for attempt in outcome.attempts
            if attempt.change.delivery_id not in unmoved
        ]
        return jobs, done.intersection(moved)

    # -- the lease ---------------------------------------------------------------------------

    def _release(self, message_ids: Iterable[Id]) -> None:
        done = list(message_ids)
        if done:
            steadfast(lambda: self._lease.release(done))

    def _renew_in_time(self) -> None:
        if not self._lease.is_to_be_renewed:
            return
        under_way = [message_id for message_id, count in self._open.items() if count]
        held = steadfast(lambda: self._lease.renew(under_way))
        if len(held) < len(under_way):
            self._lease.lose()
        steadfast(lambda: Heartbeat.objects.beat(self._cluster))
