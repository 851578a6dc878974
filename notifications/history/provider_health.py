"""How providers fare: what is under way with each, and how its latest hand-offs ended.

Read from the hand-offs themselves, the newest ones only and at most so many of them, so that a
look costs the same at any size: ids begin with the time, and what is under way is found by leases.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet

from notifications.history.rows import fetch_rows
from notifications.models import Attempt
from notifications.models.ids import first_id

LATELY = timedelta(minutes=5)
PERIOD = timedelta(hours=1)

MOST = 10_000
"""So many hand-offs are looked at, of all providers together; on a busy day that is less time."""


@dataclass(slots=True)
class Ends:
    """How hand-offs ended."""

    accepted: int = 0
    not_accepted: int = 0
    """Something went wrong, and another provider may have taken it."""
    uncertain: int = 0
    refused: int = 0
    """The message or its recipients were refused: no fault of the provider's."""

    def add(self, outcome: str, count: int) -> None:
        """Count so many that ended like that."""
        setattr(self, outcome, getattr(self, outcome) + count)

    @property
    def total(self) -> int:
        """How many there were."""
        return self.accepted + self.not_accepted + self.uncertain + self.refused

    @property
    def error_share(self) -> float:
        """The part that the provider is to blame for."""
        return (self.not_accepted + self.uncertain) / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """The latest hand-off that did not go well."""

    message_id: UUID
    reading: str
    code: int | None
    answer: str
    at: datetime


@dataclass(slots=True)
class Health:
    """How one provider fares."""

    in_flight: int = 0
    """Hand-offs under way with it now."""
    lately: Ends = field(default_factory=Ends)
    period: Ends = field(default_factory=Ends)
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Healths:
    """How all fare, by the id of the provider's row."""

    of: Mapping[int, Health]
    lately: timedelta
    """For how long back `lately` looks: shorter than LATELY where there was too much."""
    period: timedelta
    """The same of `period`."""


_RECENT = """
WITH recent AS MATERIALIZED (
    SELECT id, provider_id, message_id, outcome, reading, code, answer, started_at,
        reading NOT IN ('not_begun', 'closed') AS is_begun
    FROM notifications_handoff WHERE id >= %(since)s ORDER BY id DESC LIMIT %(most)s
)
"""
_ENDS = f"""
{_RECENT}
SELECT provider_id, outcome, is_begun AND outcome <> 'in_flight', count(*),
    count(*) FILTER (WHERE id >= %(lately)s), min(started_at)
FROM recent GROUP BY 1, 2, 3
"""  # noqa: S608 - made of constants
_FAILURES = f"""
{_RECENT}
SELECT DISTINCT ON (provider_id) provider_id, message_id, reading, code, answer, started_at
FROM recent WHERE is_begun AND outcome IN ('not_accepted', 'uncertain')
ORDER BY provider_id, id DESC
"""  # noqa: S608 - made of constants


def provider_healths(*, now: datetime) -> Healths:
    """How all providers fare now; three queries."""
    found: dict[int, Health] = defaultdict(Health)
    parameters = {
        "since": first_id(now - PERIOD),
        "lately": first_id(now - LATELY),
        "most": MOST,
    }
    looked_at, oldest = 0, now
    for provider_id, outcome, has_ended, period, lately, since in fetch_rows(_ENDS, parameters):
        looked_at, oldest = looked_at + period, min(oldest, since)
        if has_ended:
            found[provider_id].period.add(outcome, period)
            found[provider_id].lately.add(outcome, lately)
    for provider_id, *failure in fetch_rows(_FAILURES, parameters):
        found[provider_id].failure = Failure(*failure)
    for provider_id, count in _in_flight():
        found[provider_id].in_flight = count
    reach = now - oldest if looked_at >= MOST else PERIOD
    return Healths(found, lately=min(LATELY, reach), period=reach)


def _in_flight() -> "QuerySet[Attempt, tuple[int, int]]":
    """How many hand-offs are under way with each provider that has any."""
    by_provider = Attempt.objects.in_flight().values_list("handoff__provider_id")
    return by_provider.annotate(Count("handoff", distinct=True))
