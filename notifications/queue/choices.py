"""What people choose: try now, send again, do not send; and what became of it in doubt.

Each choice is recorded in the history with who made it; what a delivery's state forbids is left
alone. All take messages, any number in the same few statements, and say what they changed. Whose
address was suppressed meanwhile gets nothing: that delivery ends as `suppressed`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction

from notifications.history.changes import Change, Changed, change_deliveries, lock_messages
from notifications.models import Delivery, User
from notifications.models.ids import Id
from notifications.models.state import CANCELLABLE, DEAD_LETTER, State
from notifications.models.wakeup import wake
from notifications.queue.suppressed import candidates
from notifications.queue.turns import give_back_turns

LIFETIME_HOURS = 24
"""A requeued message gets as much time as a new one."""

# the moved deliveries of each message are one line of its history
_RETRY = """
WITH d AS (
    UPDATE notifications_delivery SET due_at = now()
    WHERE message_id = ANY(%(ids)s) AND state = 'pending' AND due_at > now()
    RETURNING message_id
), n AS (
    SELECT message_id, count(*)::int AS count FROM d GROUP BY 1
), m AS (
    UPDATE notifications_message x SET due_at = now(), seq = seq + 1
    FROM n WHERE x.id = n.message_id RETURNING x.id, x.seq, n.count
), e AS (
    INSERT INTO notifications_event (message_id, seq, kind, data)
    SELECT id, seq, 'retried', jsonb_strip_nulls(jsonb_build_object(
        'by', %(by)s::text, 'deliveries', count, 'reason', nullif(%(reason)s::text, '')
    ))
    FROM m ORDER BY id
)
SELECT id, count FROM m
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a choice changed: the number of deliveries of each message that it changed at all."""

    done: Mapping[UUID, int]
    suppressed: Mapping[UUID, int] = field(default_factory=dict)
    """Not sent, since their address gets no mail by now."""

    def __bool__(self) -> bool:
        return bool(self.done or self.suppressed)

    @property
    def deliveries(self) -> int:
        """How many deliveries it did what was chosen to."""
        return sum(self.done.values())


def retry_now(message_ids: Iterable[UUID], *, by: User, reason: str = "") -> Result:
    """Make waiting deliveries due at once; staff may give a `reason`."""
    with transaction.atomic():
        locked = lock_messages(message_ids)
        waiting = candidates(locked, (State.PENDING,), waits=True)
        stopped = change_deliveries(
            [candidate.stop() for candidate in waiting if candidate.suppressed],
            before=(State.PENDING,),
        )
        with connection.cursor() as cursor:
            cursor.execute(_RETRY, {"ids": locked, "by": by.get_username(), "reason": reason})
            done = dict(cursor.fetchall())
        transaction.on_commit(wake)
    return Result(done, _by_message(stopped))


def requeue(
    message_ids: Iterable[UUID],
    *,
    by: User,
    reason: str,
    states: Sequence[State] = DEAD_LETTER,
    through: str = "",
) -> Result:
    """Send dead letters (or what is in `states`) again, as a new generation.

    `reason` goes into the history. The provider `through` is asked first, if one is named; others
    after it, where the message allows that. The messages get a new deadline.
    """
    data = {"by": by.get_username(), "reason": reason, "choice": "requeue"}
    data |= {"through": through} if through else {}
    with transaction.atomic():
        locked = lock_messages(message_ids)
        _extend(locked, states)
        dead = candidates(locked, states)
        changed = change_deliveries(
            [Change(candidate.id, State.PENDING, data=data) for candidate in dead],
            before=states,
            requeue=True,
            through=through,
        )
        # begun first: no dead letter turns into something else in its own generation
        stopped = change_deliveries(
            [candidate.stop() for candidate in dead if candidate.suppressed],
            before=(State.PENDING,),
        )
        transaction.on_commit(wake)
    suppressed = _by_message(stopped)
    return Result(_by_message(changed) - suppressed, suppressed)


def cancel(message_ids: Iterable[UUID], *, by: User, reason: str = "") -> Result:
    """Stop deliveries that no provider has been given yet; staff give a `reason`."""
    data = {"by": by.get_username()} | ({"reason": reason} if reason else {})
    with transaction.atomic():
        locked = lock_messages(message_ids)
        changed = _move(locked, CANCELLABLE, State.CANCELLED, data)
        give_back_turns(locked)
    return Result(_by_message(changed))


def settle_as_sent(message_ids: Iterable[UUID], *, by: User, reason: str) -> Result:
    """Record that deliveries in doubt went out; `reason` says how one knows.

    Their attempts stay as they are: of those only the provider can tell, and it still may.
    """
    data = {"by": by.get_username(), "reason": reason, "choice": "settle"}
    with transaction.atomic():
        locked = lock_messages(message_ids)
        changed = _move(locked, (State.UNCERTAIN,), State.SENT, data)
    return Result(_by_message(changed))


def _move(
    message_ids: Sequence[Id], before: Sequence[State], after: State, data: Mapping[str, str]
) -> list[Changed]:
    rows = Delivery.objects.filter(message_id__in=message_ids, state__in=before)
    ids = rows.values_list("id", flat=True)
    return change_deliveries([Change(id_, after, data=data) for id_ in ids], before=before)


def _by_message(changed: Iterable[Changed]) -> Counter[UUID]:
    return Counter(UUID(delivery.message_id) for delivery in changed)


def _extend(message_ids: Sequence[Id], states: Sequence[State]) -> None:
    """Move the deadline of messages with deliveries in `states`: a new generation needs time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_message m
            SET expires_at = greatest(expires_at, now() + %(hours)s * interval '1 hour')
            WHERE id = ANY(%(ids)s) AND EXISTS (
                SELECT 1 FROM notifications_delivery d
                WHERE d.message_id = m.id AND d.state = ANY(%(states)s)
            )
            """,
            {
                "hours": LIFETIME_HOURS,
                "ids": list(message_ids),
                "states": [state.value for state in states],
            },
        )
