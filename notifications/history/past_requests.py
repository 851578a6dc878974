"""Reading one user's request log: by answer, path, token and time, newest first.

A page costs the same however long the log is. Nothing is kept by which a path or a token could be
found: what is asked for is looked for among the next so many of the user's requests, and then the
reader is told how far that went. The refused ones are few and have an index of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from notifications.models import RequestLog, User

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

# without the inner limit a rare path would be looked for in the whole log
_PAGE = """
SELECT l.*, t.name AS token_name, t.prefix AS token_prefix FROM (
    SELECT * FROM notifications_requestlog
    WHERE owner_id = %(owner)s AND id < %(before)s AND id > %(after)s {refused}
    ORDER BY id {way} LIMIT %(looked)s
) l
LEFT JOIN notifications_apitoken t ON t.id = l.token_id
WHERE (%(least)s::int IS NULL OR l.status BETWEEN %(least)s AND %(least)s + 99)
    AND strpos(l.path, %(path)s) > 0
    AND (%(token)s::uuid IS NULL OR l.token_id = %(token)s)
    AND (%(since)s::timestamptz IS NULL OR l.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR l.at < %(until)s)
ORDER BY l.id {way} LIMIT %(limit)s
"""

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
    bounds = _bounds(wanted, before, after)
    way = "ASC" if after else "DESC"
    rows = _page(owner, wanted, bounds, way, size + 1)
    more, rows = len(rows) > size, rows[:size]
    stop = None if more else _stop(owner, wanted, bounds, way)
    if after:
        rows.reverse()
    ahead = rows[0 if after else -1].id if more else stop.id if stop else None
    behind = after or before
    back = _back(rows, behind, newest=not after)
    newer, older = (ahead, back) if after else (back, ahead)
    return Past(rows, newer=newer, older=older, looked_to=stop)


def _back(rows: list[RequestLog], behind: int | None, *, newest: bool) -> int | None:
    """The cursor of the way that was come; None on the first page."""
    if not behind:
        return None
    if rows:
        return rows[0 if newest else -1].id
    return behind - 1 if newest else behind + 1


def _bounds(wanted: Wanted, before: int | None, after: int | None) -> Mapping[str, int]:
    """Between which numbers the lines lie."""
    least = _first_since(wanted.since - _SKEW) - 1 if wanted.since else _NO_ID
    most = _first_since(wanted.until + _SKEW) if wanted.until else _LAST_ID
    return {"after": max(after or _NO_ID, least), "before": min(before or _LAST_ID, most)}


def _first_since(moment: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_SINCE, [moment])
        return int(cursor.fetchone()[0])


def _page(
    owner: User, wanted: Wanted, bounds: Mapping[str, int], way: str, limit: int
) -> list[RequestLog]:
    query = _PAGE.format(
        way=way, refused=f"AND status >= {_REFUSED}" if _is_refusal(wanted) else ""
    )
    parameters: dict[str, Any] = {
        **bounds,
        "owner": owner.pk,
        "looked": LOOKED_THROUGH,
        "least": wanted.status_class and 100 * wanted.status_class,
        "path": wanted.path,
        "token": wanted.token,
        "since": wanted.since,
        "until": wanted.until,
        "limit": limit,
    }
    return list(RequestLog.objects.raw(query, parameters))


def _stop(owner: User, wanted: Wanted, bounds: Mapping[str, int], way: str) -> RequestLog | None:
    """The last line that was looked at, where there are more of them behind it."""
    refused = Q(status__gte=_REFUSED) if _is_refusal(wanted) else Q()
    lines = RequestLog.objects.filter(
        refused, owner=owner, id__lt=bounds["before"], id__gt=bounds["after"]
    ).order_by("id" if way == "ASC" else "-id")
    last = list(lines[LOOKED_THROUGH - 1 : LOOKED_THROUGH + 1])
    return last[0] if len(last) > 1 else None


def _is_refusal(wanted: Wanted) -> bool:
    return wanted.status_class in (4, 5)
