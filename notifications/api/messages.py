"""`/v1/mail`: submit a message, list one's own, read one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of, token_of
from notifications.api.base import ApiView
from notifications.api.filters import FILTER_NAMES, FILTER_PARAMETERS, MessageFilter
from notifications.api.message_terms import TERM_NAMES, TERM_PARAMETERS, terms_of
from notifications.api.paging import (
    PAGE_PARAMETERS,
    NewestFirst,
    NewestFoundFirst,
    refuse_unknown_parameters,
)
from notifications.api.parsers import refuse_unknown_length
from notifications.api.problems import not_submitted
from notifications.api.rate_limit import limit_headers
from notifications.api.schema import IDEMPOTENCY_KEY, SUBMISSION, problems
from notifications.api.serializers import (
    MessageDetailSerializer,
    MessageSerializer,
    RefusedSerializer,
    SubmittedSerializer,
    message_url,
)
from notifications.history.search import catch_up, having
from notifications.intake.submission import Submission, submit
from notifications.intake.templates.shelf import Shelf
from notifications.intake.token_limits import read_allowed
from notifications.models import Attempt, Delivery, Event, Message, User


def messages_in_full(owner: User) -> QuerySet[Message]:
    """The user's own messages with all that is shown of one, in a fixed number of queries."""
    attempts = Attempt.objects.select_related("handoff__provider").order_by("handoff_id")
    # "to" before "cc" before "bcc", which happens to be the alphabet's order backwards
    deliveries = Delivery.objects.order_by("-kind", "position").prefetch_related(
        Prefetch("attempts", attempts)
    )
    events = Event.objects.select_related("delivery").order_by("seq")
    owned = Message.objects.owned_by(owner)
    return owned.select_related("template_version__template").prefetch_related(
        Prefetch("deliveries", deliveries), Prefetch("events", events)
    )


def submitted(submission: Submission) -> dict[str, Any]:
    """What is told of a message that is stored."""
    return {
        "Message": "submitted",
        "id": submission.message_id,
        "state": submission.state,
        "url": message_url(submission.message_id),
    }


class MessagesView(ApiView, ListAPIView[Message]):
    """The user's messages."""

    serializer_class = MessageSerializer
    pagination_class = NewestFirst
    queryset = Message.objects.none()
    http_method_names = ("get", "head", "post")

    def get_queryset(self) -> QuerySet[Message]:
        """The user's own that pass the filters."""
        return MessageFilter.of(self.request).narrow(owner_of(self.request))

    @extend_schema(
        operation_id="list_messages",
        summary="List one's messages, newest first",
        parameters=[*FILTER_PARAMETERS, *TERM_PARAMETERS],
        responses={200: MessageSerializer(many=True), **problems(400, 401, 403, 422, 503)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The messages that pass the filters, page by page."""
        known = PAGE_PARAMETERS.union(FILTER_NAMES, TERM_NAMES)
        refuse_unknown_parameters(request.query_params, known)
        if terms := terms_of(request):
            return self._found(request, terms)
        return super().get(request, *args, **kwargs)

    def _found(self, request: Request, terms: Sequence[str]) -> Response:
        """A page of the messages that have all `terms`, and pass the other filters."""
        owner, asked = owner_of(request), MessageFilter.of(request)
        catch_up()
        found = having(owner, terms)
        if FILTER_NAMES & request.query_params.keys():
            found = found.filter(message__in=asked.narrow(owner), **asked.range_of("message_id"))
        pages = NewestFoundFirst()
        page = pages.paginate_queryset(found.select_related("message"), request, self) or ()
        return pages.get_paginated_response(
            self.get_serializer([t.message for t in page], many=True).data
        )

    @extend_schema(
        operation_id="submit_message",
        summary="Submit a message",
        parameters=[IDEMPOTENCY_KEY],
        request=SUBMISSION,
        responses={
            200: OpenApiResponse(SubmittedSerializer, description="It is stored."),
            **problems(400, 401, 403, 409, 411, 413, 415, 422, 429, 503, form=RefusedSerializer),
        },
    )
    def post(self, request: Request) -> Response:
        """Store a message; once this answers 200 it will not be lost."""
        refuse_unknown_length(request.headers)
        owner = owner_of(request)
        mail = read_allowed(request.data, token=token_of(request), shelf=Shelf(owner))
        submission = submit(
            owner=owner,
            request=mail,
            idempotency_key=request.headers.get("Idempotency-Key"),
            log=self.origin,
        )
        self.is_logged = True
        url = message_url(submission.message_id)
        replayed = {"Idempotency-Replayed": "true"} if submission.is_repeat else {}
        return Response(
            submitted(submission),
            headers={"Location": url, **replayed, **limit_headers(submission.limits)},
        )

    def handle_exception(self, exc: Exception) -> Response:
        """Tell a refused submission in the words that older clients read, too.

        They are left out of a 5xx: then the message may have been stored.
        """
        response = super().handle_exception(exc)
        if self.request.method == "POST" and response.status_code < 500:
            response.data = not_submitted(response.data)
        return response


class MessageView(ApiView, RetrieveAPIView[Message]):
    """One message with its deliveries, their attempts, and its history."""

    serializer_class = MessageDetailSerializer
    queryset = Message.objects.none()
    lookup_url_kwarg = "message_id"
    http_method_names = ("get", "head")

    def get_queryset(self) -> QuerySet[Message]:
        """The user's own."""
        return messages_in_full(owner_of(self.request))

    @extend_schema(
        operation_id="read_message",
        summary="Read a message and what became of it",
        responses={200: MessageDetailSerializer, **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        """The message; another user's is not there."""
        refuse_unknown_parameters(request.query_params, ())
        return super().get(request, message_id=message_id)
