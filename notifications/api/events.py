"""`/v1/events`: the user's event feed, and `/v1/mail/{id}/events`: one message's history."""

import re
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from notifications.api.auth import owner_of, token_of
from notifications.api.base import ApiView
from notifications.api.paging import (
    PAGE_PARAMETERS,
    NewestFirst,
    OldestFirst,
    refuse_unknown_parameters,
)
from notifications.api.parameters import ImpossibleParameterError, whole_number
from notifications.api.schema import problems
from notifications.api.serializers import EventSerializer, FeedSerializer
from notifications.api.waiting import waiting_room
from notifications.history.feed import Feed, UnknownPositionError, end_of_feed, read_feed
from notifications.models import Event, Message, User

MAX_WAIT_SECONDS = 30

END = "end"
"""The cursor of whoever wants only what happens from now on."""

_CURSOR = re.compile(r"e([0-9a-f]{1,15})")
_NO_CURSOR = {"cursor": ["This is not a cursor of Limbo's."]}
_NOT_YET = {"cursor": ["No answer has ended there."]}
_PAUSE = {"Retry-After": "1"}

FEED_PARAMETERS = [
    OpenApiParameter(
        "cursor",
        {"type": "string", "pattern": f"^({END}|{_CURSOR.pattern})$"},
        description="Where the last answer ended; the first event if it is not given; `end` for "
        "what happens from now on.",
    ),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": NewestFirst.max_page_size, "default": 50},
        description="How many events an answer has at most.",
    ),
    OpenApiParameter(
        "wait",
        {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": 0},
        description="Seconds to wait for an event if there is none yet. If too many wait already "
        "the answer comes at once, with `Retry-After`.",
    ),
]


class EventsView(ApiView):
    """The user's events, to follow."""

    http_method_names = ("get", "head")

    @extend_schema(
        operation_id="list_events",
        summary="Follow one's events, oldest first",
        parameters=FEED_PARAMETERS,
        responses={200: FeedSerializer, **problems(400, 401, 403, 422, 503)},
    )
    def get(self, request: Request) -> Response:
        """The events after the cursor, complete and in order, and the cursor to go on with."""
        refuse_unknown_parameters(
            request.query_params, [parameter.name for parameter in FEED_PARAMETERS]
        )
        most = NewestFirst.max_page_size
        limit = whole_number(request, "limit", default=50, least=1, most=most)
        wait = whole_number(request, "wait", default=0, least=0, most=MAX_WAIT_SECONDS)
        after = _position(request)
        place = waiting_room.place(token_of(request).id) if wait else nullcontext(False)
        with place as may_wait:
            feed = _read(owner_of(request), after=after, limit=limit, wait=wait if may_wait else 0)
        is_turned_away = wait and not may_wait and not feed.events
        headers = _PAUSE if is_turned_away else None
        return Response(_members(request, feed), headers=headers)


class MessageEventsView(ApiView, ListAPIView[Event]):
    """One message's history."""

    serializer_class = EventSerializer
    pagination_class = OldestFirst
    queryset = Event.objects.none()
    http_method_names = ("get", "head")

    def get_queryset(self) -> QuerySet[Event]:
        """The message's events; another user's message is not there."""
        owned = Message.objects.owned_by(owner_of(self.request)).only("id")
        message = get_object_or_404(owned, id=self.kwargs["message_id"])
        return Event.objects.filter(message=message).select_related("delivery")

    @extend_schema(
        operation_id="list_message_events",
        summary="Read a message's history, oldest first",
        responses={200: EventSerializer(many=True), **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        """Every event of the message, page by page."""
        refuse_unknown_parameters(request.query_params, PAGE_PARAMETERS)
        return super().get(request, message_id=message_id)


def _position(request: Request) -> int:
    """The position that `cursor` names. Raises ValidationError for a text that names none."""
    text = request.query_params.get("cursor")
    if text is None:
        return 0
    if text == END:
        return end_of_feed()
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise ValidationError(_NO_CURSOR)
    return int(match[1], 16)


def _read(owner: User, *, after: int, limit: int, wait: int) -> Feed:
    """The feed. Raises ImpossibleParameterError for a cursor that no answer can have held."""
    try:
        return read_feed(owner, after=after, limit=limit, wait=wait)
    except UnknownPositionError:
        raise ImpossibleParameterError(_NOT_YET) from None


def _members(request: Request, feed: Feed) -> dict[str, Any]:
    cursor = f"e{feed.position:x}"
    members = FeedSerializer(
        {
            "results": feed.events,
            "cursor": cursor,
            "next": replace_query_param(request.build_absolute_uri(), "cursor", cursor),
            "has_more": feed.has_more,
        },
        context={"request": request},
    )
    return dict(members.data)
