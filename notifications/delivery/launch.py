"""Beginning hand-offs: what each goes through, and its commit as in flight."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from notifications.delivery.decision import Progress, give_up
from notifications.delivery.doubt import may_repeat
from notifications.delivery.handoff import HandoffRequest
from notifications.delivery.jobs import Job
from notifications.delivery.journal import Journal
from notifications.delivery.loading import DueMessage, DueRepeat
from notifications.delivery.providers import configured_providers
from notifications.delivery.reading import Reading
from notifications.delivery.retry import next_delay
from notifications.delivery.routes import Routes
from notifications.delivery.routing import Route, Wish
from notifications.delivery.sandbox import check_way
from notifications.history.changes import Change, change_deliveries, lock_messages
from notifications.history.in_flight import Planned, commit_in_flight, commit_repeats
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.models import Attempt, Outcome
from notifications.models.ids import AnyId, Id, new_id
from notifications.models.lease import Lease
from notifications.models.record import record
from notifications.models.state import State


@record
class _Way(Planned):
    """A hand-off that is about to begin, and what is needed for it."""

    message: DueMessage
    route: Route


@dataclass(frozen=True, slots=True)
class Launcher:
    """Begins the hand-offs of one batch.

    What commits runs in the caller's transaction, and nothing may be started before its commit.
    """

    lease: Lease
    journal: Journal
    routes: Routes
    messages: Mapping[Id, DueMessage]
    several: Collection[Id]
    """Those of the messages that have more than one recipient."""
    hands: int

    def commit(self, progresses: Sequence[Progress]) -> list[Job]:
        """Settle or put off what cannot be sent now, store the rest as in flight, and return it."""
        held = set(lock_messages({p.message.id for p in progresses}, lease=self.lease))
        ours = [progress for progress in progresses if progress.message.id in held]
        late = [progress for progress in ours if progress.message.is_past_deadline]
        ways, unroutable = self._plan(p for p in ours if not p.message.is_past_deadline)
        stops = [*give_up(late), *map(self._put_off, unroutable)]
        change_deliveries(stops, before=(State.PENDING,))
        self.journal.plan(way.handoff_id for way in ways)
        in_flight = commit_in_flight(
            ways, journal_id=self.journal.id, lease=self.lease, several=self.several
        )
        share = self.routes.share(self.hands)
        return [self._job(way, share) for way in in_flight]

    def commit_repeats(self) -> list[Job]:
        """Count one more try of each hand-off in doubt that may be repeated now, and return it.

        One whose provider does not know its key any more stays as it is, for people to settle.
        """
        due = [(m, r) for m in self.messages.values() for r in m.repeats]
        if not due:
            return []
        lock_messages({message.id for message, _ in due})
        held = set(self.lease.renew([message.id for message, _ in due]))
        ours = [(message, repeat) for message, repeat in due if message.id in held]
        jobs = [job for message, repeat in ours if (job := self._repeat(message, repeat))]
        begun = [job.request.handoff_id for job in jobs]
        self.journal.plan(begun)
        counted = commit_repeats(begun, journal_id=self.journal.id)
        waiting = [repeat for _, repeat in ours if repeat.handoff_id not in counted]
        change_deliveries(
            [change for repeat in waiting for change in _wait(repeat)], before=(State.UNCERTAIN,)
        )
        return [job for job in jobs if job.request.handoff_id in counted]

    def forget_unbegun(self, begun: Collection[Id]) -> None:
        """Free what a commit has left in flight whose answer was lost, so that it never began.

        `begun` are the hand-offs that were started. In a transaction of its own.
        """
        ours = Attempt.objects.in_flight().filter(handoff__journal_id=self.journal.id)
        unbegun = ours.exclude(handoff_id__in=begun)
        rows = list(unbegun.values_list("handoff_id", "handoff__message_id", "delivery_id"))
        with transaction.atomic():
            lock_messages({message_id for _, message_id, _ in rows})
            record_outcomes(
                [
                    HandoffOutcome(handoff_id, message_id, [_unbegun(delivery_id)])
                    for handoff_id, message_id, delivery_id in rows
                ]
            )

    def _plan(self, progresses: Iterable[Progress]) -> tuple[list[_Way], list[Progress]]:
        """One hand-off for the deliveries of a message that have the same providers before them.

        Returns the hand-offs, and what has none.
        """
        groups: dict[tuple[Id, frozenset[str], Wish | None], list[Progress]] = defaultdict(list)
        for progress in progresses:
            key = progress.message.id, progress.tried, progress.wish
            groups[key].append(progress)
        ways, unroutable = [], []
        for (message_id, tried, wish), members in groups.items():
            message = members[0].message
            partial = len(members) < len(message.outgoing.recipients)
            route = self.routes.choose(tried=tried, partial=partial, wish=wish)
            if route is None:
                unroutable += members
                continue
            ids = tuple([progress.delivery.delivery_id for progress in members])
            provider_id, name = route.provider_id, route.name
            ways.append(_Way(new_id(), message_id, provider_id, name, ids, message, route))
        return ways, unroutable

    def _put_off(self, progress: Progress) -> Change:
        """No provider can take it now: wait, unless none ever could."""
        wish = progress.wish
        needs_envelope = self.routes.has_any(wish) and not any(
            config.separates_envelope
            for name, config in configured_providers().items()
            if wish is None or wish.allows(name)
        )
        if needs_envelope:
            reason = "no provider can send to some of a message's recipients only"
            return Change(progress.delivery.delivery_id, State.FAILED, data={"reason": reason})
        wait = next_delay(progress.delivery.backoffs)
        data = {"reason": "no provider can be used now", "wait": round(wait)}
        return Change(
            progress.delivery.delivery_id, State.PENDING, data=data, wait=wait, backs_off=True
        )

    def _job(self, way: _Way, share: int) -> Job:
        key, message = way.handoff_id, way.message
        envelope = message.envelope(way.delivery_ids)
        request = HandoffRequest(way.handoff_id, key, message.outgoing, envelope)
        return self._to(way.route, request, share)

    def _repeat(self, message: DueMessage, repeat: DueRepeat) -> Job | None:
        route = self.routes.named(repeat.provider)
        if route is None or not may_repeat(repeat.provider, age=repeat.age):
            return None
        request = HandoffRequest(
            handoff_id=repeat.handoff_id,
            idempotency_key=repeat.idempotency_key,
            outgoing=message.outgoing,
            envelope=message.envelope(repeat.envelope),
            is_repeat=True,
        )
        return self._to(route, request, self.routes.share(self.hands))

    def _to(self, route: Route, request: HandoffRequest, share: int) -> Job:
        check_way(request.outgoing, route.config)
        return Job(request, route.config, self.lease, self.journal, share)


def _unbegun(delivery_id: AnyId) -> AttemptOutcome:
    change = Change(delivery_id, State.PENDING, data={"reading": Reading.NOT_BEGUN.value})
    return AttemptOutcome(change, Outcome.NOT_ACCEPTED, Reading.NOT_BEGUN)


def _wait(repeat: DueRepeat) -> list[Change]:
    """The step of deliveries whose repeat must wait, or will never be."""
    repeats = may_repeat(repeat.provider, age=repeat.age)
    reason = "its repeat waits for the provider" if repeats else "its repeat is not possible"
    return [
        Change(
            delivery.delivery_id,
            State.UNCERTAIN,
            data={"provider": repeat.provider, "reason": reason},
            wait=next_delay(delivery.backoffs),
            repeats=repeats,
            backs_off=repeats,
        )
        for delivery in repeat.in_doubt
    ]
