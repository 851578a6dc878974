"""Recording how hand-offs ended, in bulk.

Outcomes are fenced by their Attempt, not by the lease: a late truth is still recorded, also after
the sweeper took the attempt for uncertain. Only where a newer generation exists does the delivery
stay as it is, and the truth goes into the Attempt and the history.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from notifications.history.arrays import id_array, plain_array, text_array
from notifications.history.changes import (
    STEP,
    STEPS,
    Change,
    LetGo,
    add_event,
    changed,
    step_parameters,
)
from notifications.models.handoff import UNSETTLED, Outcome
from notifications.models.ids import AnyId, Id
from notifications.models.prepared import LongStatement, prepared_cursor
from notifications.models.record import record
from notifications.models.state import State

_BEFORE = (State.SENDING, State.UNCERTAIN)
_UNSETTLED = text_array(UNSETTLED)
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

_ORDER = text_array(_STANDS_AT)

_STANDS = "(%(order)s::text[])[min(array_position(%(order)s::text[], outcome::text))]"

_STAND = """
    outcome = t.outcome,
    ended_at = CASE WHEN t.outcome <> 'in_flight' THEN coalesce(h.ended_at, clock_timestamp()) END
"""

_WORDS = """
    reading = CASE WHEN t.reading = '' THEN {0}.reading ELSE t.reading END,
    code = CASE WHEN t.reading = '' THEN {0}.code ELSE t.code END,
    answer = CASE WHEN t.reading = '' THEN {0}.answer ELSE t.answer END
"""

# All in one statement, so that a hand-off's end is told once. What a part of it changes the others
# see only in what that part returns. Where a hand-off was repeated under its key, no refusal
# settles it: each is about one try only.
_RECORD = LongStatement(f"""
WITH ended AS (
    UPDATE notifications_attempt a SET outcome = t.outcome, {_WORDS.format("a")}
    FROM unnest(
        %(handoffs)s::uuid[], %(outcomes)s::text[], %(readings)s::text[], %(codes)s::int[],
        %(answers)s::text[], {STEPS}
    ) t (handoff_id, outcome, reading, code, answer, {STEP})
    WHERE a.handoff_id = t.handoff_id AND a.delivery_id = t.id
        AND a.outcome = ANY(%(unsettled)s::text[])
        AND (t.outcome = ANY(%(not_refusals)s::text[]) OR 1 = (
            SELECT tries FROM notifications_handoff WHERE id = t.handoff_id
        ))
    RETURNING a.handoff_id, a.outcome, a.generation,
        t.id, t.state, t.wait, t.round, t.backoff, t.repeats, t.data
),
ch AS (SELECT * FROM ended),
{changed()},
others AS (
    SELECT handoff_id, outcome FROM notifications_attempt
    WHERE handoff_id = ANY(%(ended)s::uuid[])
        AND (handoff_id, delivery_id) NOT IN (SELECT handoff_id, id FROM ended)
),
h AS (
    UPDATE notifications_handoff h SET {_STAND}, {_WORDS.format("h")},
        provider_message_id = coalesce(nullif(t.provider_id, ''), h.provider_message_id)
    FROM (
        SELECT id, reading, code, answer, provider_id,
            CASE WHEN id = ANY(ARRAY(SELECT handoff_id FROM others)) THEN (
                SELECT {_STANDS} FROM (
                    SELECT outcome FROM ended WHERE handoff_id = summary.id
                    UNION ALL
                    SELECT outcome FROM others WHERE handoff_id = summary.id
                ) attempts
            ) ELSE outcome END AS outcome
        FROM unnest(
            %(ended)s::uuid[], %(sum_outcomes)s::text[], %(sum_readings)s::text[],
            %(sum_codes)s::int[], %(sum_answers)s::text[], %(provider_ids)s::text[]
        ) summary (id, outcome, reading, code, answer, provider_id)
    ) t WHERE h.id = t.id
)
SELECT id::text, ended.generation FROM unnest(%(ids)s::uuid[]) t (id) LEFT JOIN ended USING (id)
WHERE (SELECT count(*) FROM d) < cardinality(%(ids)s::uuid[]) AND id NOT IN (SELECT id FROM d)
""")  # noqa: S608 - made of constants


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
    outcomes: Sequence[HandoffOutcome],
    *,
    let_go: LetGo | None = None,
    several: Collection[Id] | None = None,
) -> set[Id]:
    """Record how `outcomes` ended and move their deliveries on; returns those that did not move.

    Runs in the caller's transaction, after `lock_messages` of their messages. One statement
    whatever the number of hand-offs. `let_go` and `several` are as for `step_parameters`.
    """
    if not outcomes:
        return set()
    unmoved: dict[Id, int | None] = dict(
        _RECORD.run(_parameters(outcomes, let_go=let_go, several=several))
    )
    if unmoved:
        _note_outlived(outcomes, unmoved)
    return set(unmoved)


def _parameters(
    outcomes: Sequence[HandoffOutcome],
    *,
    let_go: LetGo | None,
    several: Collection[Id] | None,
) -> dict[str, Any]:
    attempts = [attempt for outcome in outcomes for attempt in outcome.attempts]
    told = summed_up = _told(attempts)
    if len(attempts) > len(outcomes):  # else each has one, as nearly always, and keeps its words
        summed_up = _told([outcome.summary() for outcome in outcomes])
    changes = [attempt.change for attempt in attempts]
    return {
        **step_parameters(changes, before=_BEFORE, let_go=let_go, several=several),
        **told,
        **{f"sum_{name}": values for name, values in summed_up.items()},
        "handoffs": id_array([each.handoff_id for each in outcomes for _ in each.attempts]),
        "ended": id_array([outcome.handoff_id for outcome in outcomes]),
        "provider_ids": text_array([outcome.provider_message_id for outcome in outcomes]),
        "unsettled": _UNSETTLED,
        "not_refusals": _NOT_REFUSALS,
        "order": _ORDER,
    }


def _told(attempts: Sequence[AttemptOutcome]) -> dict[str, str]:
    """How each ended and what was learnt of it, as parameters."""
    return {
        "outcomes": text_array([attempt.outcome for attempt in attempts]),
        "readings": text_array([attempt.reading for attempt in attempts]),
        "codes": plain_array([attempt.code for attempt in attempts]),
        "answers": text_array([attempt.answer for attempt in attempts]),
    }


def settle_handoff(handoff_id: AnyId) -> None:
    """Let a hand-off stand where its attempts stand. Runs in the caller's transaction."""
    with prepared_cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE notifications_handoff h SET {_STAND} FROM (
                SELECT handoff_id, {_STANDS} AS outcome FROM notifications_attempt
                WHERE handoff_id = %(id)s::uuid GROUP BY 1
            ) t WHERE h.id = t.handoff_id
            """,  # noqa: S608 - made of constants
            {"id": str(handoff_id), "order": _ORDER},
        )


def _note_outlived(
    outcomes: Sequence[HandoffOutcome], generations: Mapping[Id, int | None]
) -> None:
    """Write the truth about an attempt down where its delivery has gone on without it.

    `generations` are those of the unmoved deliveries' attempts; None where nothing was learnt.
    """
    for outcome in outcomes:
        for change in [attempt.change for attempt in outcome.attempts]:
            generation = generations.get(str(change.delivery_id))
            if generation is None:
                continue
            add_event(
                message_id=outcome.message_id,
                delivery_id=change.delivery_id,
                kind=change.state,
                data={**change.data, "generation": generation},
                applied=False,
            )
