"""Reading one user's request log: by answer, path, token and time, newest first.

A page costs the same however long the log is. Nothing is kept by which a path or a token could be
found: what is asked for is looked for among the next so many of the user's requests, and then the
reader is told how far that went. The refused ones are few and have an index of their own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from notifications.models import ApiToken, RequestLog, User

LOOKED_THROUGH = 10_000
"""Requests among which one page is looked for."""

_REFUSED = 400

_SKEW = timedelta(minutes=5)
"""A line may be numbered so much later than it was begun."""

# a recursion that halves the numbers: `hi` is the first that was written then or later
_FIRST_SINCE = """
WITH RECURSIVE search (lo, hi) AS (
    SELECT 0::bigint, coalesce(max(id), 0) + 1 FROM notifications_requestlog
    UNION ALL
    SELECT CASE WHEN late THEN lo ELSE mid END, CASE WHEN late THEN mid ELSE hi END
    FROM (
        SELECT lo, hi, (lo + hi) / 2 AS mid, coalesce((
            SELECT at FROM notifications_requestlog WHERE id >= (lo + hi) / 2 ORDER BY id LIMIT 1
        ) >= %s, true) AS late
        FROM search WHERE hi - lo > 1
    ) step
)
SELECT min(hi) FROM search
"""

_TOKENS = ApiToken.objects.filter(id=OuterRef("token_id"))
_TOKEN = {
    "token_name": Subquery(_TOKENS.values("name")),
    "token_prefix": Subquery(_TOKENS.values("prefix")),
}

_NO_ID, _LAST_ID = 0, 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are asked for; what is None or empty is no condition."""

    status_class: int | None = None
    """The first digit of their answers' status."""
    path: str = ""
    """A part of their path."""
    token: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_looked_for(self) -> bool:
        """Whether there is a condition that no index holds, apart from the time."""
        return bool(self.status_class or self.path or self.token)


@dataclass(frozen=True, slots=True)
class Past:
    """One page, newest first, and the cursors of its neighbours."""

    rows: list[RequestLog]
    """Each with the `token_name` and `token_prefix` of its token."""
    newer: int | None = None
    older: int | None = None
    looked_to: RequestLog | None = None
    """Where looking stopped without a full page; there may be more beyond it."""


def past_requests(
    owner: User, wanted: Wanted, *, before: int | None = None, after: int | None = None, size: int
) -> Past:
    """A page of the owner's requests that are wanted: before a line, after one, or the newest."""
    forwards = after is not None
    lines = _lines(owner, wanted, before, after).order_by("id" if forwards else "-id")
    edge = _edge(lines) if wanted.is_looked_for else None
    found = lines.filter(**_conditions(wanted))
    if edge is not None:
        # or a rare path would be looked for in the whole log
        found = found.filter(**{"id__lte" if forwards else "id__gte": edge})
    rows = list(found.annotate(**_TOKEN)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    stop = None if more or edge is None else RequestLog.objects.get(id=edge)
    if forwards:
        rows.reverse()
    ahead = rows[0 if forwards else -1].id if more else edge
    back = _back(rows, after or before, newest=not forwards)
    newer, older = (ahead, back) if forwards else (back, ahead)
    return Past(rows, newer=newer, older=older, looked_to=stop)


def _back(rows: list[RequestLog], behind: int | None, *, newest: bool) -> int | None:
    """The cursor of the way that was come; None on the first page."""
    if not behind:
        return None
    if rows:
        return rows[0 if newest else -1].id
    return behind - 1 if newest else behind + 1


def _lines(
    owner: User, wanted: Wanted, before: int | None, after: int | None
) -> QuerySet[RequestLog]:
    """The owner's lines from which the page is made, by what an index holds."""
    least = _first_since(wanted.since - _SKEW) - 1 if wanted.since else _NO_ID
    most = _first_since(wanted.until + _SKEW) if wanted.until else _LAST_ID
    lines = RequestLog.objects.filter(
        owner=owner, id__gt=max(after or _NO_ID, least), id__lt=min(before or _LAST_ID, most)
    )
    return lines.filter(status__gte=_REFUSED) if wanted.status_class in (4, 5) else lines


def _conditions(wanted: Wanted) -> dict[str, Any]:
    """What no index holds."""
    conditions: dict[str, Any] = {}
    if wanted.status_class:
        least = 100 * wanted.status_class
        conditions["status__range"] = (least, least + 99)
    if wanted.path:
        conditions["path__contains"] = wanted.path
    if wanted.token:
        conditions["token_id"] = wanted.token
    if wanted.since:
        conditions["at__gte"] = wanted.since
    if wanted.until:
        conditions["at__lt"] = wanted.until
    return conditions


def _edge(lines: QuerySet[RequestLog]) -> int | None:
    """The last of the lines that are looked through, where there are more behind it."""
    last = list(lines.values_list("id", flat=True)[LOOKED_THROUGH - 1 : LOOKED_THROUGH + 1])
    return last[0] if len(last) > 1 else None


def _first_since(moment: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_SINCE, [moment])
        return int(cursor.fetchone()[0])
