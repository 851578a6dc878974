"""`/v1/stats`: how much was accepted, sent, delivered, bounced, …, over a period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of
from notifications.api.base import ApiView
from notifications.api.paging import refuse_unknown_parameters
from notifications.api.parameters import ImpossibleParameterError, line, moment, one_of
from notifications.api.schema import problems
from notifications.api.serializers import StatsSerializer
from notifications.history.stats import MOST_TAGS, Counts, Interval, Stats, stats_of

USUAL_PERIOD = timedelta(days=1)
LONGEST_PERIOD = timedelta(days=92)
LONGEST_TAG = 256
"""Characters; no submission can have a longer one."""

_HOUR = timedelta(hours=1)
_INTERVALS = get_args(Interval)
_MOMENT = {"type": "string", "format": "date-time"}

STATS_PARAMETERS = [
    OpenApiParameter(
        "after",
        _MOMENT,
        description="The period's beginning, rounded down to the hour; a day before its end "
        "unless given.",
    ),
    OpenApiParameter(
        "before",
        _MOMENT,
        description="The period's end, rounded up to the hour; now unless given. A period has at "
        f"most {LONGEST_PERIOD.days} days.",
    ),
    OpenApiParameter(
        "tag",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG},
        description=f"Tell of this tag, and no other. Else of the {MOST_TAGS} with most events.",
    ),
    OpenApiParameter(
        "interval",
        {"type": "string", "enum": list(_INTERVALS)},
        description="Tell of each hour, or of each day of UTC, too.",
    ),
]


@dataclass(frozen=True, slots=True)
class _Period:
    """Whole hours."""

    after: datetime
    before: datetime

    @classmethod
    def of(cls, request: Request) -> "_Period":
        """The period asked for. Raises ImpossibleParameterError for one that cannot be."""
        asked_end = moment(request, "before") or datetime.now(UTC)
        asked_start = moment(request, "after")
        try:
            before = _whole_hour(asked_end + _HOUR - timedelta.resolution)
            after = _whole_hour(asked_start or before - USUAL_PERIOD)
        except OverflowError:
            raise ImpossibleParameterError({"before": ["There is no such time."]}) from None
        if after >= before:
            raise ImpossibleParameterError({"after": ["This must be earlier than `before`."]})
        if before - after > LONGEST_PERIOD:
            message = f"The period may have at most {LONGEST_PERIOD.days} days."
            raise ImpossibleParameterError({"after": [message]})
        return cls(after, before)


class StatsView(ApiView):
    """Counts of what happened to the user's messages."""

    http_method_names = ("get", "head")

    @extend_schema(
        operation_id="read_stats",
        summary="Count what happened in a period",
        parameters=STATS_PARAMETERS,
        responses={200: StatsSerializer, **problems(400, 401, 403, 422, 503)},
    )
    def get(self, request: Request) -> Response:
        """Counts by kind of event: in all, and by provider, tag and, if asked for, time."""
        known = [parameter.name for parameter in STATS_PARAMETERS]
        refuse_unknown_parameters(request.query_params, known)
        interval = cast("Interval | None", one_of(request, "interval", _INTERVALS))
        period = _Period.of(request)
        stats = stats_of(
            owner_of(request),
            after=period.after,
            before=period.before,
            tag=line(request, "tag", longest=LONGEST_TAG),
            interval=interval,
        )
        return Response(StatsSerializer(_members(period, stats, interval)).data)


def _whole_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _members(period: _Period, stats: Stats, interval: Interval | None) -> dict[str, Any]:
    series = {"series": _listed("at", stats.series)} if interval else {}
    return {
        "after": period.after,
        "before": period.before,
        "counts": stats.counts,
        "providers": _listed("provider", stats.providers),
        "tags": _listed("tag", stats.tags),
        "is_complete": stats.is_complete,
        **series,
    }


def _listed(name: str, counts: Mapping[Any, Counts]) -> list[dict[str, Any]]:
    return [{name: key, "counts": of_key} for key, of_key in counts.items()]
