"""Recording how hand-offs ended, in bulk.

Outcomes are fenced by their Attempt, not by the lease: a late truth is still recorded, also after
the sweeper took the attempt for uncertain. Only where a newer generation exists does the delivery
stay as it is, and the truth goes into the Attempt and the history.
"""

from collections.abc import Mapping, Sequence

from notifications.history.arrays import id_array, plain_array, text_array
from notifications.history.changes import Change, Changed, LetGo, add_event, change_deliveries
from notifications.models.handoff import UNSETTLED, Outcome
from notifications.models.ids import AnyId
from notifications.models.prepared import prepared_cursor
from notifications.models.record import record
from notifications.models.state import State

_NOT_REFUSALS = text_array((Outcome.ACCEPTED, Outcome.UNCERTAIN))

_STANDS_AT = (
    Outcome.IN_FLIGHT,
    Outcome.UNCERTAIN,
    Outcome.ACCEPTED,
    Outcome.NOT_ACCEPTED,
    Outcome.REFUSED,
)
"""A hand-off stands at the first of these at which one of its attempts stands: as long as one is
open or in doubt, the sweeper, the journal and a repeat must find it."""

_ORDER = {"order": text_array(_STANDS_AT)}

_STANDING = """
    SELECT handoff_id, (%(order)s::text[])[
        min(array_position(%(order)s::text[], outcome::text))
    ] AS outcome
    FROM notifications_attempt WHERE handoff_id = ANY(%(ids)s::uuid[]) GROUP BY 1
"""

_STAND = """
    outcome = s.outcome,
    ended_at = CASE WHEN s.outcome <> 'in_flight' THEN coalesce(h.ended_at, clock_timestamp()) END
"""

_WORDS = """
    reading = CASE WHEN t.reading = '' THEN {0}.reading ELSE t.reading END,
    code = CASE WHEN t.reading = '' THEN {0}.code ELSE t.code END,
    answer = CASE WHEN t.reading = '' THEN {0}.answer ELSE t.answer END
"""


@record
class AttemptOutcome:
    """How a hand-off ended for one delivery, and the step that follows from it."""

    change: Change
    outcome: Outcome
    reading: str
    """Empty where nothing was learnt: the words that are there stay."""
    code: int | None = None
    answer: str = ""


@record
class HandoffOutcome:
    """How a hand-off ended."""

    handoff_id: AnyId
    message_id: AnyId
    attempts: Sequence[AttemptOutcome]
    provider_message_id: str = ""

    def summary(self) -> AttemptOutcome:
        """The attempt whose words the hand-off keeps: a doubt before all else."""
        if len(self.attempts) == 1:
            return self.attempts[0]
        return min(self.attempts, key=lambda attempt: _STANDS_AT.index(attempt.outcome))


def record_outcomes(
    outcomes: Sequence[HandoffOutcome], *, let_go: LetGo | None = None
) -> list[Changed]:
    """Record how `outcomes` ended and move their deliveries on; returns the changed deliveries.

    Runs in the caller's transaction, after `lock_messages` of their messages. Three statements
    whatever the number of hand-offs.
    """
    if not outcomes:
        return []
    attempts = [attempt for outcome in outcomes for attempt in outcome.attempts]
    words = _words(attempts)
    changes = _end_attempts(outcomes, attempts, words)
    if len(attempts) > len(outcomes):  # else each has one, as nearly always, and keeps its words
        words = _words([outcome.summary() for outcome in outcomes])
    _end_handoffs(outcomes, words)
    changed = change_deliveries(changes, before=(State.SENDING, State.UNCERTAIN), let_go=let_go)
    _note_outlived(outcomes, changes, changed)
    return changed


def settle_handoff(handoff_id: AnyId) -> None:
    """Let a hand-off stand where its attempts stand. Runs in the caller's transaction."""
    with prepared_cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE notifications_handoff h SET {_STAND}
            FROM ({_STANDING}) s WHERE h.id = s.handoff_id
            """,  # noqa: S608 - made of constants
            {"ids": id_array([handoff_id]), **_ORDER},
        )


def _words(attempts: Sequence[AttemptOutcome]) -> dict[str, str]:
    """What was learnt of each, as parameters."""
    return {
        "readings": text_array([attempt.reading for attempt in attempts]),
        "codes": plain_array([attempt.code for attempt in attempts]),
        "answers": text_array([attempt.answer for attempt in attempts]),
    }


def _end_handoffs(outcomes: Sequence[HandoffOutcome], words: Mapping[str, str]) -> None:
    """Let the Handoffs stand where their Attempts stand now, with the provider's `words`."""
    with prepared_cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE notifications_handoff h SET {_STAND},
                {_WORDS.format("h")},
                provider_message_id = coalesce(nullif(t.provider_id, ''), h.provider_message_id)
            FROM unnest(
                %(ids)s::uuid[], %(readings)s::text[], %(codes)s::int[], %(answers)s::text[],
                %(provider_ids)s::text[]
            ) t (id, reading, code, answer, provider_id)
            JOIN ({_STANDING}) s ON s.handoff_id = t.id
            WHERE h.id = t.id
            """,  # noqa: S608 - made of constants
            {
                "ids": id_array(outcome.handoff_id for outcome in outcomes),
                "provider_ids": text_array(outcome.provider_message_id for outcome in outcomes),
                **words,
                **_ORDER,
            },
        )


def _end_attempts(
    outcomes: Sequence[HandoffOutcome],
    attempts: Sequence[AttemptOutcome],
    words: Mapping[str, str],
) -> list[Change]:
    """Close the open Attempts; returns the steps that follow, each in its attempt's generation.

    Where a hand-off was repeated under its key, no refusal settles it: each is about one try only.
    """
    with prepared_cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE notifications_attempt a SET outcome = t.outcome, {_WORDS.format("a")}
            FROM unnest(
                %(handoffs)s::uuid[], %(deliveries)s::uuid[], %(outcomes)s::text[],
                %(readings)s::text[], %(codes)s::int[], %(answers)s::text[]
            ) WITH ORDINALITY t (handoff_id, delivery_id, outcome, reading, code, answer, place)
            WHERE a.handoff_id = t.handoff_id AND a.delivery_id = t.delivery_id
                AND a.outcome = ANY(%(unsettled)s::text[])
                AND (t.outcome = ANY(%(not_refusals)s::text[]) OR 1 = (
                    SELECT tries FROM notifications_handoff WHERE id = t.handoff_id
                ))
            RETURNING t.place, a.generation
            """,  # noqa: S608 - made of constants
            {
                "unsettled": text_array(UNSETTLED),
                "not_refusals": _NOT_REFUSALS,
                "handoffs": id_array(each.handoff_id for each in outcomes for _ in each.attempts),
                "deliveries": id_array(attempt.change.delivery_id for attempt in attempts),
                "outcomes": text_array(attempt.outcome for attempt in attempts),
                **words,
            },
        )
        closed = sorted(cursor.fetchall())
    return [attempts[place - 1].change.in_generation(generation) for place, generation in closed]


def _note_outlived(
    outcomes: Sequence[HandoffOutcome], changes: Sequence[Change], changed: Sequence[Changed]
) -> None:
    """Write the truth about an attempt down where its delivery has gone on without it."""
    if len(changed) == len(changes):
        return
    moved = {delivery.delivery_id for delivery in changed}
    left = {
        change.delivery_id: change for change in changes if str(change.delivery_id) not in moved
    }
    for outcome in outcomes:
        for attempt in outcome.attempts:
            change = left.get(attempt.change.delivery_id)
            if change is None:
                continue
            add_event(
                message_id=outcome.message_id,
                delivery_id=change.delivery_id,
                kind=change.state,
                data={**change.data, "generation": change.generation},
                applied=False,
            )
