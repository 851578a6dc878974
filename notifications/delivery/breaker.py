"""The breaker: a provider that does not answer is left alone for a while, then probed.

Its state is in the provider's row, so that all workers share it, and its times are the database's.
It opens when five hand-offs in a row failed, or half of at least twenty within 30 s; for 30 s, and
for twice as long each time its probe fails, up to 10 minutes. When that is over a single probe
decides: the hand-off of whoever sets `probe_until` first, by compare-and-set. A probe whose worker
died is given up at that time.

Each write is one statement, to be called in autocommit: a provider's row must never stay locked
while a transaction waits for something else. A healthy provider costs none: hand-offs that reached
it are counted in the process, and written only once there is a failure to set them against.
Functions here are called by the one thread that runs a process's batch.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from django.db import connection

from notifications.delivery.reading import Reach
from notifications.models import Provider
from notifications.models.lease import HANDOFF_SECONDS, boottime

logger = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 5
"""So many open it."""

WINDOW_SECONDS = 30
WINDOW_CALLS = 20
"""Half of at least so many hand-offs within the window open it too."""

OPEN_SECONDS = 30
LONGEST_OPEN_SECONDS = 600

PROBE_SECONDS = HANDOFF_SECONDS + 20
"""After so long a probe that has not ended is given up; its worker is dead or lost."""

_ANSWER_CHARACTERS = 300
"""So much of the last failure is told as the reason."""


End = tuple[Reach, str]
"""How one hand-off ended, and what a provider answered that failed."""


@dataclass(slots=True)
class _Known:
    """What this process knows of one provider."""

    calls: int = 0
    """Hand-offs that reached it since `since`, at most a window ago, and are in no row yet."""
    since: float = 0.0
    is_troubled: bool = False
    """Whether its row, as last read or written, had failures in it."""
    probe: datetime | None = None
    """This process's probe, by the `probe_until` that it set."""


_known: dict[str, _Known] = {}


def _of(name: str) -> _Known:
    return _known.setdefault(name, _Known())


LETS_THROUGH = """
(breaker_until IS NULL OR breaker_until <= statement_timestamp()
    AND coalesce(probe_until <= statement_timestamp(), true))
"""
"""In SQL, the providers whose breaker is closed, or waits for its probe."""


def remember(name: str, *, is_troubled: bool) -> None:
    """Take note of a row that was read: whether provider `name` has failures in it."""
    _of(name).is_troubled = is_troubled


# -- hand-offs that ended --------------------------------------------------------------------


def note_ends(name: str, ends: Sequence[End]) -> bool:
    """Count how hand-offs to provider `name` ended, in their order.

    Returns whether it may get more, as far as this process knows: its breaker is closed.
    """
    known = _of(name)
    if known.probe is not None:
        return _end_probe(name, ends)
    failed, neutral = Reach.FAILED, Reach.NEUTRAL  # looked up once
    counted = [end for end in ends if end[0] is not neutral]
    has_failures = any(reach is failed for reach, _ in counted)
    if counted and (has_failures or known.is_troubled):
        return _write(name, counted)
    _forget_old(known)
    known.calls += len(counted)
    return True


def _forget_old(known: _Known) -> None:
    if not known.calls or boottime() - known.since > WINDOW_SECONDS:
        known.calls, known.since = 0, boottime()


_NOTE = """
WITH held AS (
    SELECT *, coalesce(window_started_at > now() - %(window)s * interval '1 second', false) runs
    FROM notifications_provider WHERE name = %(name)s FOR NO KEY UPDATE
), counted AS (
    SELECT
        id,
        CASE WHEN %(reached)s THEN 0 ELSE failures END + %(in_a_row)s AS in_a_row,
        CASE WHEN runs THEN window_started_at
             ELSE now() - %(age)s * interval '1 second' END AS started_at,
        CASE WHEN runs THEN window_calls ELSE 0 END + %(calls)s AS calls,
        CASE WHEN runs THEN window_failures ELSE 0 END + %(failures)s AS failed
    FROM held WHERE breaker_until IS NULL
), judged AS (
    SELECT *, CASE
        WHEN in_a_row >= %(limit_in_a_row)s THEN in_a_row || ' hand-offs in a row failed'
        WHEN calls >= %(limit_calls)s AND failed * 2 >= calls
        THEN failed || ' of ' || calls || ' hand-offs within ' || %(window)s || ' s failed'
    END AS reason
    FROM counted
)
UPDATE notifications_provider p SET
    failures = in_a_row,
    window_started_at = started_at,
    window_calls = calls,
    window_failures = failed,
    breaker_until = CASE WHEN reason <> '' THEN now() + %(open)s * interval '1 second' END,
    breaker_seconds = CASE WHEN reason <> '' THEN %(open)s ELSE 0 END,
    breaker_reason = coalesce(reason || %(answer)s, '')
FROM judged WHERE p.id = judged.id
RETURNING p.failures + p.window_failures > 0, p.breaker_reason
"""
"""Counts, judges and opens. No row comes back when the breaker is open already: what was begun
before it opened neither closes it nor keeps it open. `held` locks the row first, so that the
counts are those of its newest version whatever else is written at the same time."""


def _write(name: str, counted: Sequence[End]) -> bool:
    known = _of(name)
    _forget_old(known)
    failures = [answer for reach, answer in counted if reach is Reach.FAILED]
    values: dict[str, str | int | float] = {
        "name": name,
        "window": WINDOW_SECONDS,
        "reached": len(failures) < len(counted),
        "in_a_row": _failed_last(counted),
        "age": boottime() - known.since,
        "calls": known.calls + len(counted),
        "failures": len(failures),
        "limit_in_a_row": FAILURES_IN_A_ROW,
        "limit_calls": WINDOW_CALLS,
        "open": OPEN_SECONDS,
        "answer": _told(failures),
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, values)
        row: tuple[bool, str] | None = cursor.fetchone()
    is_troubled, reason = row or (True, "")
    known.calls, known.is_troubled = 0, is_troubled
    if reason:
        logger.warning("Provider %s is left alone for %d s: %s", name, OPEN_SECONDS, reason)
    return row is not None and not reason


def _failed_last(counted: Sequence[End]) -> int:
    """How many of them failed since the last one that did not."""
    return len(list(takewhile(lambda end: end[0] is Reach.FAILED, reversed(counted))))


def _told(failures: Sequence[str]) -> str:
    """The last failure's answer, in one line behind what failed."""
    answer = " ".join(failures[-1].split()) if failures else ""
    return f": {answer[:_ANSWER_CHARACTERS]}" if answer else ""


# -- the probe -------------------------------------------------------------------------------


def take_probe(name: str) -> bool:
    """Take the right to begin one hand-off through provider `name`, whose breaker's time is over.

    False when somebody else has it, or when there is nothing to probe any more. Who gets True
    begins exactly one and lets it be noted, or calls `release_probe`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_provider SET probe_until = now() + %s * interval '1 second'
            WHERE name = %s AND breaker_until <= now()
                AND (probe_until IS NULL OR probe_until <= now())
            RETURNING probe_until
            """,
            [PROBE_SECONDS, name],
        )
        row = cursor.fetchone()
    _of(name).probe = row[0] if row else None
    return row is not None


def release_probe(name: str) -> None:
    """Give up this process's probe of provider `name`, if it has one: another may begin."""
    known = _of(name)
    if known.probe is not None:
        Provider.objects.filter(name=name, probe_until=known.probe).update(probe_until=None)
        known.probe = None


def _end_probe(name: str, ends: Sequence[End]) -> bool:
    """Close the breaker, open it for longer, or let another probe find out."""
    failures = [answer for reach, answer in ends if reach is Reach.FAILED]
    if failures:
        _reopen(name, _told(failures))
        return False
    if all(reach is Reach.NEUTRAL for reach, _ in ends):
        release_probe(name)
        return False
    return _close(name)


def _reopen(name: str, answer: str) -> None:
    known = _of(name)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_provider SET
                breaker_seconds = least(breaker_seconds * 2, %(longest)s),
                breaker_until = now()
                    + least(breaker_seconds * 2, %(longest)s) * interval '1 second',
                breaker_reason = 'its probe failed' || %(answer)s,
                probe_until = NULL
            WHERE name = %(name)s AND probe_until = %(probe)s
            RETURNING breaker_seconds, breaker_reason
            """,
            {"longest": LONGEST_OPEN_SECONDS, "answer": answer, "name": name, "probe": known.probe},
        )
        row = cursor.fetchone()
    known.probe = None
    if row:
        logger.warning("Provider %s is left alone for %d s: %s", name, *row)


_CLOSED: dict[str, Any] = {
    "failures": 0,
    "window_started_at": None,
    "window_calls": 0,
    "window_failures": 0,
    "breaker_until": None,
    "breaker_seconds": 0,
    "breaker_reason": "",
    "probe_until": None,
}


def _close(name: str) -> bool:
    known = _of(name)
    closed = Provider.objects.filter(name=name, probe_until=known.probe).update(**_CLOSED)
    known.probe, known.is_troubled = None, False
    if closed:
        logger.info("Provider %s is in use again: its probe went through.", name)
    return bool(closed)


def use_again(name: str) -> bool:
    """Close the breaker of provider `name` and forget that it asked us to wait, by staff's choice.

    Returns whether there was anything to change.
    """
    changed = (
        Provider.objects.filter(name=name)
        .exclude(breaker_until=None, closed_until=None)
        .update(**_CLOSED, closed_until=None)
    )
    return bool(changed)
