"""Settling what a dead worker left open, by what its journal says.

    ended                  that outcome
    begun and not ended    uncertain
    planned, not begun     pending, if the file is the whole truth
    anything else          uncertain

It holds also for what the sweeper has taken for uncertain meanwhile. A hand-off that was uncertain
before this try (a repeat under its provider's idempotency key) is settled by an acceptance only: a
refusal says nothing about the first try.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction

from notifications.delivery.decision import event_data
from notifications.delivery.doubt import WORKER_LOST, doubt, may_repeat
from notifications.delivery.handoff import Verdict
from notifications.delivery.poison import count_deaths
from notifications.delivery.reading import RULES, Reading
from notifications.delivery.retry import next_delay
from notifications.delivery.testimony import Testimony
from notifications.history.changes import Change, lock_messages
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.models import Attempt, Handoff, Message
from notifications.models.handoff import UNSETTLED, Outcome
from notifications.models.lease import Lease
from notifications.models.state import State

LOCK_SECONDS = 1
"""A row that another session holds for longer puts the whole off, not the caller."""


def settle(testimony: Testimony, *, died_alone: bool) -> None:
    """Record what `testimony` tells, and release the lease of its last batch.

    With `died_alone` the messages that the worker was not done with count its death. Raises
    Django's OperationalError if another session keeps the messages locked, or the database is away.
    """
    concerned = _concerned(testimony)
    if not concerned:
        return
    with transaction.atomic():
        _wait_shortly()
        locked = {UUID(id_) for id_ in lock_messages(concerned)}
        attempts = _open_attempts(testimony, locked)
        record_outcomes(_outcomes(testimony, attempts))
        # read after the rows are locked: until then the sweeper may have freed them
        held = _held(testimony, locked)
        if died_alone:
            count_deaths(_suspects(testimony, held, attempts))
        if testimony.token:
            Lease(testimony.token).release(held)


def _concerned(testimony: Testimony) -> set[UUID]:
    """The messages that its hand-offs or its lease are about.

    Of a hand-off that it does not name it says one thing only: that what is in flight is in doubt.
    """
    named = Handoff.objects.filter(
        id__in=testimony.named, journal_id=testimony.journal_id, outcome__in=UNSETTLED
    )
    in_flight = Attempt.objects.in_flight().filter(handoff__journal_id=testimony.journal_id)
    return {
        *named.values_list("message_id", flat=True),
        *in_flight.values_list("delivery__message_id", flat=True),
        *_leased(testimony.token),
    }


def _leased(token: UUID | None) -> list[UUID]:
    if token is None:
        return []
    # the second condition lets it use the index on leases
    leased = Message.objects.filter(lease_token=token, lease_until__isnull=False)
    return list(leased.values_list("id", flat=True))


def _wait_shortly() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_SECONDS}s"])


def _held(testimony: Testimony, locked: Collection[UUID]) -> list[UUID]:
    return [message_id for message_id in _leased(testimony.token) if message_id in locked]


def _open_attempts(testimony: Testimony, locked: Collection[UUID]) -> list[Attempt]:
    return list(
        Attempt.objects.filter(
            handoff__journal_id=testimony.journal_id,
            delivery__message__in=locked,
            outcome__in=UNSETTLED,
        ).select_related("handoff__provider")
    )


def _outcomes(testimony: Testimony, attempts: Iterable[Attempt]) -> list[HandoffOutcome]:
    by_handoff: dict[Handoff, list[AttemptOutcome]] = defaultdict(list)
    for attempt in attempts:
        outcome = _outcome(testimony, attempt)
        if outcome is not None:
            by_handoff[attempt.handoff].append(outcome)
    return [
        HandoffOutcome(handoff.id, handoff.message_id, outcomes, _provider_id(testimony, handoff))
        for handoff, outcomes in by_handoff.items()
    ]


def _outcome(testimony: Testimony, attempt: Attempt) -> AttemptOutcome | None:
    """What the journal adds to what is recorded of the attempt; None: nothing."""
    told = testimony.verdict(attempt.handoff_id, attempt.delivery_id)
    if told is not None and RULES[told.reading].outcome is Outcome.ACCEPTED:
        return _told(attempt, told)
    in_flight = attempt.outcome == Outcome.IN_FLIGHT
    only_presumed = attempt.reading == WORKER_LOST
    if attempt.handoff.tries > 1 or not (in_flight or only_presumed):
        return None
    if told is not None:
        return _told(attempt, told)
    if testimony.excludes(attempt.handoff_id):
        return _told(attempt, Verdict(Reading.NOT_BEGUN))
    return _lost(attempt) if in_flight else None


def _told(attempt: Attempt, verdict: Verdict) -> AttemptOutcome:
    provider, rule = attempt.handoff.provider.name, RULES[verdict.reading]
    repeats = rule.state is State.UNCERTAIN and may_repeat(provider, age=timedelta())
    wait = next_delay(0) if repeats else 0.0
    change = Change(
        attempt.delivery_id,
        rule.state,
        data={**event_data(provider, verdict, wait=wait), "source": "journal"},
        wait=wait,
        repeats=repeats,
        backs_off=repeats,
    )
    return AttemptOutcome(change, rule.outcome, verdict.reading, verdict.code, verdict.answer)


def _lost(attempt: Attempt) -> AttemptOutcome:
    change = doubt(attempt.delivery_id, provider=attempt.handoff.provider.name)
    return AttemptOutcome(change, Outcome.UNCERTAIN, WORKER_LOST)


def _provider_id(testimony: Testimony, handoff: Handoff) -> str:
    result = testimony.ended.get(handoff.id)
    return result.provider_message_id if result else ""


def _suspects(testimony: Testimony, held: Sequence[UUID], attempts: Iterable[Attempt]) -> set[UUID]:
    """Those of the last batch's messages that the worker was not done with when it died."""
    waited = {
        attempt.handoff.message_id for attempt in attempts if testimony.excludes(attempt.handoff_id)
    }
    ended = Handoff.objects.filter(id__in=testimony.ended_last)
    done = set(ended.values_list("message_id", flat=True))
    return {message_id for message_id in held if message_id in waited or message_id not in done}
