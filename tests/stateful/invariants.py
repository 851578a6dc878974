"""What holds at every moment, not only once everything has drained."""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.db import connection

from notifications.models import Attempt, Delivery, Message
from notifications.models.handoff import LIVE, UNSETTLED, Outcome
from notifications.models.ids import Id
from notifications.models.state import State
from tests.faults.invariants import history_faults
from tests.stateful.providers import Providers


def moment_faults(accepted: Collection[UUID], world: Providers) -> list[str]:
    """A sentence for whatever does not hold now."""
    attempts = list(Attempt.objects.select_related("handoff", "delivery"))
    return [
        *_lost(accepted),
        *_doubled(attempts, world),
        *_unfounded(attempts, world),
        *_open_without_attempt(attempts),
        *_settled_with_attempt(attempts),
        *_queue_faults(),
        *history_faults(),
    ]


def _lost(accepted: Collection[UUID]) -> Iterator[str]:
    if Message.objects.filter(id__in=accepted).count() != len(accepted):
        yield "I1: an accepted message is gone"


def _doubled(attempts: Collection[Attempt], world: Providers) -> Iterator[str]:
    """I2 and I3: each copy has its attempt, and no delivery has two in one generation."""
    known = {(str(a.handoff_id), str(a.delivery_id)): a for a in attempts}
    seen: set[tuple[Id, int]] = set()
    for (handoff_id, delivery_id), count in world.copies().items():
        attempt = known.get((handoff_id, delivery_id))
        if attempt is None:
            yield f"I3: hand-off {handoff_id} was taken, and is not stored"
            continue
        key = delivery_id, attempt.generation
        if count > 1 or key in seen:
            yield f"I2: delivery {delivery_id} was taken twice in generation {key[1]}"
        seen.add(key)


def _unfounded(attempts: Collection[Attempt], world: Providers) -> Iterator[str]:
    """I4: what is said of an attempt is what its provider did."""
    came = {passage.request.handoff_id for passage in world.passages}
    copies = world.copies()
    for attempt in attempts:
        handoff_id = str(attempt.handoff_id)
        has_copy = (handoff_id, str(attempt.delivery_id)) in copies
        if attempt.outcome == Outcome.ACCEPTED and not has_copy:
            yield f"I4: hand-off {handoff_id} is accepted, and no provider took it"
        if attempt.outcome not in LIVE and has_copy:
            yield f"I4: hand-off {handoff_id} was taken, and is {attempt.outcome}"
        is_lost = attempt.reading == "worker_lost"
        if attempt.outcome == Outcome.UNCERTAIN and handoff_id not in came and not is_lost:
            yield f"I4: hand-off {handoff_id} is uncertain, and never came to its provider"


def _open_without_attempt(attempts: Collection[Attempt]) -> Iterator[str]:
    """What is under way or in doubt can still be settled by somebody."""
    unsettled = {
        (a.delivery_id, a.generation): a for a in attempts if Outcome(a.outcome) in UNSETTLED
    }
    for delivery in Delivery.objects.filter(state__in=[State.SENDING, State.UNCERTAIN]):
        attempt = unsettled.get((delivery.id, delivery.generation))
        if attempt is None:
            yield f"delivery {delivery.id} is {delivery.state} without an open attempt"
        elif attempt.handoff.outcome not in UNSETTLED:
            yield f"delivery {delivery.id} is {delivery.state} in a hand-off that has ended"


def _settled_with_attempt(attempts: Collection[Attempt]) -> Iterator[str]:
    """Nobody doubts what is settled, or waits for what has not begun."""
    for attempt in attempts:
        delivery = attempt.delivery
        is_open = Outcome(attempt.outcome) in UNSETTLED
        is_current = attempt.generation == delivery.generation
        if is_open and is_current and delivery.state not in (State.SENDING, State.UNCERTAIN):
            yield f"delivery {delivery.id} is {delivery.state}, its attempt {attempt.outcome}"


def _queue_faults() -> Iterator[str]:
    """What is due can be claimed, or is leased; what is under way is leased."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.id, 'is due at another time than its deliveries'
            FROM notifications_message m JOIN notifications_delivery d ON d.message_id = m.id
            GROUP BY m.id
            -- while it is being sent it stays as it was claimed, until its worker's record
            HAVING NOT bool_or(d.state = 'sending') AND (
                greatest(m.due_at, now()) IS DISTINCT FROM greatest(min(d.due_at), now())
                OR (m.due_at IS NULL) <> (min(d.due_at) IS NULL)
            )
            UNION ALL
            SELECT d.message_id, 'has a delivery that is due and ' || d.state
            FROM notifications_delivery d
            WHERE d.due_at IS NOT NULL AND d.state NOT IN ('pending', 'uncertain')
            UNION ALL
            SELECT m.id, 'has its turn, and is not due'
            FROM notifications_message m WHERE m.turn IS NOT NULL AND m.due_at IS NULL
            UNION ALL
            SELECT m.id, 'is under way without a lease'
            FROM notifications_message m JOIN notifications_delivery d ON d.message_id = m.id
            WHERE d.state = 'sending' AND m.lease_until IS NULL
            """
        )
        for message_id, fault in cursor.fetchall():
            yield f"message {message_id} {fault}"
