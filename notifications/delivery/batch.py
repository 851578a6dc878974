"""Delivering a claimed batch: commit what is in flight, hand over, record, fail over, let go.

The thread that runs the batch is the only one that touches the database; the crew's threads are
the only ones that touch providers. They meet in two queues.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from notifications.delivery.breaker import take_probe
from notifications.delivery.crew import Crew, Ended, Job, crew
from notifications.delivery.decision import Decision, Next, Progress, decide, give_up
from notifications.delivery.handoff import HandoffRequest
from notifications.delivery.loading import DueMessage, load_due
from notifications.delivery.providers import configured_providers
from notifications.delivery.reading import RULES
from notifications.delivery.retry import next_delay
from notifications.delivery.routing import Route, choose_provider, usable_routes
from notifications.delivery.standing import note_provider_faults
from notifications.delivery.steadfast import steadfast
from notifications.history.changes import Change, change_deliveries, lock_messages
from notifications.history.in_flight import Planned, commit_in_flight
from notifications.history.outcomes import HandoffOutcome, record_outcomes
from notifications.models import Heartbeat
from notifications.models.lease import RENEW_SECONDS, Lease, boottime
from notifications.models.state import State

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.05
"""Outcomes are recorded together once in this time."""


def deliver_batch(token: str, message_ids: Sequence[str], *, cluster: str) -> None:
    """Deliver the messages that were claimed under the lease `token`.

    The django-q2 task of the broker's claim. Messages whose lease is lost by now are left alone.
    """
    Heartbeat.objects.beat(cluster)
    lease = Lease(UUID(token))
    held = lease.renew([UUID(message_id) for message_id in message_ids])
    if held:
        routes = [r for r in usable_routes() if not r.is_probe or take_probe(r.name)]
        Batch(lease, load_due(held), routes, crew(), cluster).run()


class Batch:
    """One claimed batch on its way."""

    def __init__(
        self,
        lease: Lease,
        messages: Sequence[DueMessage],
        routes: Sequence[Route],
        crew: Crew,
        cluster: str,
    ) -> None:
        self._lease = lease
        self._messages = {message.id: message for message in messages}
        self._routes = list(routes)
        self._crew = crew
        self._cluster = cluster
        self._results: SimpleQueue[Ended] = SimpleQueue()
        self._progress: dict[UUID, Progress] = {}
        self._planned: dict[UUID, tuple[Planned, Route]] = {}
        self._open: dict[UUID, int] = defaultdict(int)  # hand-offs under way, by message
        self._renewed_at = boottime()

    def run(self) -> None:
        """Deliver; returns when every hand-off has ended and is recorded."""
        first = [
            Progress(message, delivery)
            for message in self._messages.values()
            for delivery in message.due
        ]
        self._progress = {progress.delivery.id: progress for progress in first}
        steadfast(lambda: self._begin(first))
        self._release(message_id for message_id in self._messages if not self._open[message_id])
        while any(self._open.values()):
            ended = self._collect()
            if ended:
                self._flush(ended)
            self._renew_in_time()

    def _collect(self) -> list[Ended]:
        """Wait for a result, then take what else ends within the flush interval."""
        try:
            ended = [self._results.get(timeout=1)]
        except Empty:
            return []
        until = boottime() + FLUSH_SECONDS
        while (left := until - boottime()) > 0 and len(ended) < sum(self._open.values()):
            try:
                ended.append(self._results.get(timeout=left))
            except Empty:
                break
        return ended

    # -- beginning ---------------------------------------------------------------------------

    def _begin(self, progresses: Sequence[Progress]) -> None:
        """Settle or put off what cannot be sent now; commit the rest as in flight and start it."""
        with transaction.atomic():
            jobs = self._commit(progresses)
        self._start(jobs)

    def _commit(self, progresses: Sequence[Progress]) -> list[Job]:
        """Store what begins; runs in a transaction, and nothing is sent before its commit."""
        held = set(lock_messages({p.message.id for p in progresses}, lease=self._lease))
        ours = [progress for progress in progresses if progress.message.id in held]
        late = [progress for progress in ours if progress.message.is_past_deadline]
        planned, unroutable = self._plan(p for p in ours if not p.message.is_past_deadline)
        stops = [*give_up(late), *map(self._put_off, unroutable)]
        change_deliveries(stops, before=(State.PENDING,))
        in_flight = commit_in_flight([plan for plan, _ in planned])
        return [
            self._job(plan, route, in_flight[plan.handoff_id])
            for plan, route in planned
            if plan.handoff_id in in_flight
        ]

    def _plan(
        self, progresses: Iterable[Progress]
    ) -> tuple[list[tuple[Planned, Route]], list[Progress]]:
        """One hand-off for the deliveries of a message that have been to the same providers."""
        groups: dict[tuple[UUID, frozenset[str]], list[Progress]] = defaultdict(list)
        for progress in progresses:
            groups[progress.message.id, frozenset(progress.tried)].append(progress)
        planned, unroutable = [], []
        for (message_id, tried), members in groups.items():
            partial = len(members) < len(members[0].message.outgoing.recipients)
            route = choose_provider(self._routes, tried=tried, partial=partial)
            if route is None:
                unroutable += members
                continue
            ids = tuple(progress.delivery.id for progress in members)
            plan = Planned(uuid7(), message_id, route.provider_id, route.name, ids)
            planned.append((plan, route))
        return planned, unroutable

    def _put_off(self, progress: Progress) -> Change:
        """No provider can take it now: wait, unless none ever could."""
        needs_envelope = bool(self._routes) and not any(
            config.separates_envelope for config in configured_providers().values()
        )
        if needs_envelope:
            reason = "no provider can send to some of a message's recipients only"
            return Change(progress.delivery.id, State.FAILED, data={"reason": reason})
        wait = next_delay(progress.delivery.backoffs)
        data = {"reason": "no provider can be used now", "wait": round(wait)}
        return Change(progress.delivery.id, State.PENDING, data=data, wait=wait, backs_off=True)

    def _job(self, plan: Planned, route: Route, delivery_ids: set[UUID]) -> Job:
        message = self._messages[plan.message_id]
        request = HandoffRequest(
            handoff_id=plan.handoff_id,
            idempotency_key=str(plan.handoff_id),
            outgoing=message.outgoing,
            envelope=message.envelope(tuple(delivery_ids)),
        )
        self._planned[plan.handoff_id] = (plan, route)
        return Job(request, route.config, self._lease)

    def _start(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self._open[job.request.outgoing.message_id] += 1
            self._crew.start(job, self._results)

    # -- ending ------------------------------------------------------------------------------

    def _flush(self, ended: Sequence[Ended]) -> None:
        """Record what ended, start its next wave, and let go of the messages that are done."""
        unusable = note_provider_faults(ended)
        self._routes = [route for route in self._routes if route.name not in unusable]
        decisions = {end.job.request.handoff_id: self._decide(end) for end in ended}
        jobs = steadfast(lambda: self._record(ended, decisions))
        for end in ended:
            self._open[end.job.request.outgoing.message_id] -= 1
        self._start(jobs)
        touched = {end.job.request.outgoing.message_id for end in ended}
        self._release(message_id for message_id in touched if not self._open[message_id])

    def _decide(self, end: Ended) -> list[Decision]:
        _, route = self._planned[end.job.request.handoff_id]
        verdicts = [(self._progress[id_], verdict) for id_, verdict in end.result.verdicts.items()]
        tried = {route.name}.union(*(progress.tried for progress, _ in verdicts))
        back = sum(RULES[verdict.reading].state is State.PENDING for _, verdict in verdicts)
        partial = back < len(end.job.request.outgoing.recipients)
        more = choose_provider(self._routes, tried=tried, partial=partial) is not None
        return [
            decide(progress, verdict, route=route, more_routes=more)
            for progress, verdict in verdicts
        ]

    def _record(self, ended: Sequence[Ended], decisions: dict[UUID, list[Decision]]) -> list[Job]:
        """Record outcomes and commit the next wave, in one transaction."""
        with transaction.atomic():
            lock_messages({end.job.request.outgoing.message_id for end in ended})
            record_outcomes([_outcome(end, decisions) for end in ended])
            flat = [decision for group in decisions.values() for decision in group]
            over = [d.progress for d in flat if d.next is Next.GIVE_UP]
            change_deliveries(give_up(over), before=(State.PENDING,))
            again = [d.progress for d in flat if d.next is Next.ANOTHER_PROVIDER]
            return self._commit(again) if again else []

    # -- the lease ---------------------------------------------------------------------------

    def _release(self, message_ids: Iterable[UUID]) -> None:
        done = list(message_ids)
        if done:
            steadfast(lambda: self._lease.release(done))
        for message_id in done:
            self._open.pop(message_id, None)

    def _renew_in_time(self) -> None:
        if boottime() - self._renewed_at < RENEW_SECONDS:
            return
        self._renewed_at = boottime()
        under_way = [message_id for message_id, count in self._open.items() if count]
        held = steadfast(lambda: self._lease.renew(under_way))
        if len(held) < len(under_way):
            self._lease.lose()
        steadfast(lambda: Heartbeat.objects.beat(self._cluster))


def _outcome(end: Ended, decisions: dict[UUID, list[Decision]]) -> HandoffOutcome:
    request = end.job.request
    return HandoffOutcome(
        handoff_id=request.handoff_id,
        message_id=request.outgoing.message_id,
        attempts=[decision.attempt for decision in decisions[request.handoff_id]],
        provider_message_id=end.result.provider_message_id,
    )
