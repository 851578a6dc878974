"""I1 to I6 of the fault matrix, judged from the sinks' records and the database.

`judge` says what came of a row. Each check yields a sentence for whatever does not hold; the sinks'
records decide what was handed off, the database what Limbo says of it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from notifications.history.positions import sequence_events
from notifications.models import Delivery, Message
from notifications.models.state import (
    INITIAL,
    OPEN,
    RANK,
    REQUEUEABLE,
    TRANSITIONS,
    State,
)
from tests.faults.records import Received, Step

_SHOWN = 5
"""So many examples of a problem are shown."""


@dataclass(slots=True)
class Verdict:
    """What came of a row; it holds when there is no problem."""

    messages: int = 0
    """In the database."""
    accepted: int = 0
    """Answered with a 2xx, or stored by `submit`."""
    handed_off: int = 0
    """Deliveries that sinks took."""
    doubled: int = 0
    """Deliveries that were taken more often than somebody chose to send them."""
    uncertain: int = 0
    lost: int = 0
    """Deliveries that are gone, or said to be sent though no sink took them, or unsettled."""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An attempt as the database tells it, with when it was committed."""

    handoff_id: str
    delivery_id: UUID
    generation: int
    outcome: str
    address: str
    message_id: str
    committed_at: datetime | None
    """None: its event is missing."""


def judge(
    accepted: Collection[UUID],
    received: Sequence[Received],
    *,
    doubt_from: Step | None = Step.ENDED,
) -> Verdict:
    """Check I1 to I6 once everything has drained; `accepted` are the answered messages.

    `doubt_from` is how far a hand-off must have come at its sink for `uncertain` to be right: rows
    that kill a worker within the message allow BEGAN, since its final dot may have left; those that
    take its journal away ask for no ground (None), since nobody can know.
    """
    _number_events()
    attempts = _attempts()
    taken = _taken_deliveries(attempts, received)
    lost = [*_missing(accepted), *_unsettled(), *_said_to_be_sent(attempts, taken)]
    verdict = Verdict(
        messages=Message.objects.count(),
        accepted=len(accepted),
        handed_off=len({delivery for _, delivery, _ in taken}),
        doubled=len(_doubled(taken)),
        uncertain=Delivery.objects.filter(state=State.UNCERTAIN).count(),
        lost=len(lost),
    )
    verdict.problems = [
        *_shorten("lost", lost),
        *_shorten("handed off twice", _doubled(taken)),
        *_shorten("repeated without a choice", _unchosen()),
        *_shorten("unknown hand-off", _unwitnessed(attempts, received)),
        *_shorten("groundless doubt", _groundless(attempts, received, doubt_from)),
        *_shorten("taken, and said not to be", _denied(attempts, taken)),
        *_shorten("history", [*history_faults(), *_position_faults()]),
        *_shorten("without what it is about", _orphans()),
        *_shorten("left behind", _left_behind()),
    ]
    return verdict


def _shorten(what: str, found: Collection[str]) -> Iterator[str]:
    if found:
        yield f"{what} ({len(found)}): " + "; ".join(list(found)[:_SHOWN])


def _rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


_PARENTS = (
    ("attempt", "handoff"),
    ("attempt", "delivery"),
    ("handoff", "message"),
    ("handoff", "provider"),
    ("content", "message"),
    ("delivery", "message"),
    ("event", "message"),
    ("event", "delivery"),
)
"""What no foreign key of the database holds together."""


def _orphans() -> list[str]:
    return [
        f"{child} of {parent} {row[0]}, which is not there"
        for child, parent in _PARENTS
        # as sets: a plan that was made for empty tables would compare each row with each
        for row in _rows(
            f"""
            SELECT {parent}_id FROM notifications_{child} WHERE {parent}_id IS NOT NULL
            EXCEPT SELECT id FROM notifications_{parent}
            """
        )
    ]


def _number_events() -> None:
    """Until none is left: another sequencer may hold the lock for a moment."""
    while _rows("SELECT 1 FROM notifications_eventqueue LIMIT 1"):
        sequence_events()


def _attempts() -> list[_Attempt]:
    """Every attempt; its commit is its `sending` event's, whose row is never rewritten."""
    known = _rows("SHOW track_commit_timestamp")[0][0] == "on"
    committed_at = "pg_xact_commit_timestamp(e.xmin)" if known else "e.at"
    rows = _rows(
        f"""
        WITH a AS (
            SELECT a.*, h.id::text AS hand, row_number() OVER (
                PARTITION BY a.delivery_id ORDER BY h.started_at, h.id
            ) AS turn
            FROM notifications_attempt a JOIN notifications_handoff h ON h.id = a.handoff_id
        ),
        e AS (
            SELECT delivery_id, {committed_at} AS at,
                row_number() OVER (PARTITION BY delivery_id ORDER BY seq) AS turn
            FROM notifications_event e WHERE kind = 'sending'
        )
        SELECT a.hand, d.id, a.generation, a.outcome, d.address, m.header_message_id, e.at
        FROM a
        JOIN notifications_delivery d ON d.id = a.delivery_id
        JOIN notifications_message m ON m.id = d.message_id
        LEFT JOIN e ON e.delivery_id = a.delivery_id AND e.turn = a.turn
        """
    )
    return [_Attempt(*row) for row in rows]


# -- I1, I4: nothing is lost -----------------------------------------------------------------------


def _missing(accepted: Collection[UUID]) -> list[str]:
    stored = set(Message.objects.values_list("id", flat=True))
    return [f"message {id_} was accepted, and is not stored" for id_ in set(accepted) - stored]


def _unsettled() -> list[str]:
    waiting = [state for state in OPEN if state is not State.UNCERTAIN]
    found = Delivery.objects.filter(state__in=waiting).values_list("id", "state")
    return [f"delivery {id_} is still {state}" for id_, state in found]


_Taken = tuple[str, UUID, int]
"""A hand-off, a delivery and its generation."""


def _taken_deliveries(attempts: Sequence[_Attempt], received: Sequence[Received]) -> list[_Taken]:
    """Each taking of a delivery by a sink, repeats included."""
    by_handoff: dict[str, list[_Attempt]] = {}
    for attempt in attempts:
        by_handoff.setdefault(attempt.handoff_id, []).append(attempt)
    return [
        (attempt.handoff_id, attempt.delivery_id, attempt.generation)
        for record in received
        if record.step is Step.TAKEN
        for attempt in by_handoff.get(record.handoff_id, [])
        if not record.recipients or attempt.address in record.recipients
    ]


def _said_to_be_sent(attempts: Sequence[_Attempt], taken: Sequence[_Taken]) -> list[str]:
    known = {(handoff, delivery) for handoff, delivery, _ in taken}
    return [
        f"delivery {attempt.delivery_id} is said to be accepted, and no sink took it"
        for attempt in attempts
        if attempt.outcome == "accepted" and (attempt.handoff_id, attempt.delivery_id) not in known
    ]


# -- I2: nothing twice -----------------------------------------------------------------------------


def _doubled(taken: Sequence[_Taken]) -> list[str]:
    times = Counter((delivery, generation) for _, delivery, generation in taken)
    return [
        f"delivery {delivery}, generation {generation}, was taken {count} times"
        for (delivery, generation), count in times.items()
        if count > 1
    ]


def _unchosen() -> list[str]:
    rows = _rows(
        """
        SELECT d.id FROM notifications_delivery d WHERE d.generation <> 1 + (
            SELECT count(*) FROM notifications_event e
            WHERE e.message_id = d.message_id AND e.delivery_id = d.id
                AND e.kind = 'pending' AND e.data ? 'choice'
        )
        """
    )
    return [f"delivery {id_} has a generation that nobody chose" for (id_,) in rows]


# -- I3: committed before it began -----------------------------------------------------------------


def _unwitnessed(attempts: Sequence[_Attempt], received: Sequence[Received]) -> list[str]:
    known = {attempt.handoff_id: attempt for attempt in attempts}
    return [
        problem
        for record in received
        if (problem := _witness_problem(known.get(record.handoff_id), record))
    ]


def _witness_problem(attempt: _Attempt | None, record: Received) -> str:
    if attempt is None:
        # cut off before its mark came, it can be nobody's second copy
        is_nameless = record.step is Step.BEGAN and "-" not in record.handoff_id
        return "" if is_nameless else f"hand-off {record.handoff_id} came, and is not stored"
    if attempt.committed_at is None:
        return f"hand-off {record.handoff_id} has no event that began it"
    if attempt.committed_at > datetime.fromtimestamp(record.at, UTC):
        return f"hand-off {record.handoff_id} was committed after its sink had it"
    if record.step is not Step.BEGAN and record.message_id not in ("", attempt.message_id):
        return f"hand-off {record.handoff_id} came as message {record.message_id}"
    return ""


# -- I4: every doubt has its ground, and none is hidden --------------------------------------------


def _groundless(
    attempts: Sequence[_Attempt], received: Sequence[Received], doubt_from: Step | None
) -> list[str]:
    needed = doubt_from or min(Step)
    ambiguous = {record.handoff_id for record in received if record.step >= needed}
    doubted = [attempt for attempt in attempts if attempt.outcome == "uncertain"]
    ids = {attempt.delivery_id for attempt in doubted}
    uncertain = Delivery.objects.filter(state=State.UNCERTAIN).values_list("id", flat=True)
    return [
        f"hand-off {attempt.handoff_id} is uncertain, and its sink saw nothing of it"
        for attempt in doubted
        if attempt.handoff_id not in ambiguous and doubt_from is not None
    ] + [f"delivery {id_} is uncertain without an attempt" for id_ in uncertain if id_ not in ids]


def _denied(attempts: Sequence[_Attempt], taken: Sequence[_Taken]) -> list[str]:
    known = {(handoff, delivery) for handoff, delivery, _ in taken}
    return [
        f"hand-off {attempt.handoff_id} was taken, and is told as {attempt.outcome}"
        for attempt in attempts
        if attempt.outcome in ("not_accepted", "refused")
        and (attempt.handoff_id, attempt.delivery_id) in known
    ]


# -- I5: history is complete and in order ----------------------------------------------------------


def history_faults() -> list[str]:
    """What does not hold of I5 at this moment, whatever is still under way."""
    return [*_count_faults(), *_state_faults(), *_step_faults()]


def _count_faults() -> Iterator[str]:
    rows = _rows(
        """
        SELECT m.id, m.seq, count(e.id), coalesce(min(e.seq), 1), coalesce(max(e.seq), 0)
        FROM notifications_message m LEFT JOIN notifications_event e ON e.message_id = m.id
        GROUP BY m.id HAVING m.seq <> count(e.id) OR m.seq <> coalesce(max(e.seq), 0)
            OR coalesce(min(e.seq), 1) <> 1
        """
    )
    for id_, seq, count, first, last in rows:
        yield f"message {id_} counts {seq} events and has {count}, from {first} to {last}"


def _state_faults() -> Iterator[str]:
    rows = _rows(
        """
        SELECT d.id, d.state, coalesce(e.kind, 'none') FROM notifications_delivery d
        LEFT JOIN LATERAL (
            SELECT kind FROM notifications_event
            WHERE message_id = d.message_id AND delivery_id = d.id AND applied AND kind = ANY(%s)
            ORDER BY seq DESC LIMIT 1
        ) e ON true
        WHERE e.kind IS DISTINCT FROM d.state AND (e.kind IS NOT NULL OR d.state <> ALL(%s))
        """,
        list(State.values),
        [state.value for state in INITIAL],
    )
    for id_, state, kind in rows:
        yield f"delivery {id_} is {state}, and its last event is {kind}"
    ranks = [state.value for state in RANK]
    rows = _rows(
        """
        SELECT m.id, m.state FROM notifications_message m
        JOIN notifications_delivery d ON d.message_id = m.id GROUP BY m.id
        HAVING array_position(%s::text[], m.state::text)
            <> min(array_position(%s::text[], d.state::text))
        """,
        ranks,
        ranks,
    )
    for id_, state in rows:
        yield f"message {id_} is {state}, and its deliveries are not"


def _step_faults() -> Iterator[str]:
    rows = _rows(
        """
        SELECT DISTINCT before, kind, chosen FROM (
            SELECT kind, lag(kind, 1, 'pending') OVER (PARTITION BY delivery_id ORDER BY seq)
                AS before, data ? 'choice' AS chosen
            FROM notifications_event
            WHERE delivery_id IS NOT NULL AND applied AND kind = ANY(%s)
        ) steps
        """,
        list(State.values),
    )
    for before, kind, chosen in rows:
        if not _is_legal(State(before), State(kind), chosen=chosen):
            yield f"a delivery went from {before} to {kind}"


def _is_legal(before: State, after: State, *, chosen: bool) -> bool:
    if chosen and after is State.PENDING:
        return before in REQUEUEABLE
    return before is after or after in TRANSITIONS.get(before, ())


def _position_faults() -> Iterator[str]:
    first, last, count, events = _rows(
        """
        SELECT coalesce(min(position), 1), coalesce(max(position), 0), count(*),
            (SELECT count(*) FROM notifications_event)
        FROM notifications_eventposition
        """
    )[0]
    if (first, last, count) != (1, events, events):
        yield f"{events} events have {count} positions, from {first} to {last}"
    (turned,) = _rows(
        """
        SELECT count(*) FROM (
            SELECT e.seq < lag(e.seq) OVER (PARTITION BY e.message_id ORDER BY p.position) AS turned
            FROM notifications_eventposition p JOIN notifications_event e ON e.id = p.event_id
        ) pairs WHERE turned
        """
    )[0]
    if turned:
        yield f"{turned} events stand before an earlier one of their message"


# -- I6: nothing is left behind --------------------------------------------------------------------


def _left_behind() -> list[str]:
    leased = Message.objects.filter(lease_until__isnull=False).values_list("id", flat=True)
    hanging = _rows(
        """
        SELECT pid, state, query FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND state LIKE 'idle in transaction%%' AND state_change < now() - interval '2 seconds'
        """
    )
    return [f"message {id_} is leased" for id_ in leased] + [
        f"session {pid} is {state} after {query}" for pid, state, query in hanging
    ]
