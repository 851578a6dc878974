"""`/v1/mail/{id}/cancel`, `/retry` and `/reschedule`: what an owner chooses for a message."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of
from notifications.api.base import ApiView
from notifications.api.choice_schema import CANCEL, RESCHEDULE, RETRY
from notifications.api.keeping import kept
from notifications.api.messages import messages_in_full
from notifications.api.parsers import refuse_unknown_length
from notifications.api.schema import IDEMPOTENCY_KEY, problems
from notifications.api.serializers import MessageDetailSerializer
from notifications.intake.choices import read_cancel, read_reschedule, read_retry
from notifications.models import Message
from notifications.queue.owner_choices import cancel_message, reschedule_message, retry_message

_ANSWERS: dict[Any, Any] = {
    200: MessageDetailSerializer,
    **problems(400, 401, 403, 404, 409, 411, 413, 415, 503),
}


class ChoiceView(ApiView):
    """A choice on one of the user's messages; the answer is the message as it stands then."""

    http_method_names = ("post",)

    def own(self, request: Request, message_id: UUID) -> Message:
        """The message; another user's is not there."""
        refuse_unknown_length(request.headers)
        return get_object_or_404(Message.objects.owned_by(owner_of(request)), id=message_id)

    def answer(self, request: Request, message_id: UUID) -> Response:
        """The message as `GET` shows it."""
        message = messages_in_full(owner_of(request)).get(id=message_id)
        return Response(MessageDetailSerializer(message, context={"request": request}).data)


class CancelView(ChoiceView):
    """`/cancel`."""

    @extend_schema(
        operation_id="cancel_message",
        summary="Cancel what no provider has been given yet",
        request=CANCEL,
        parameters=[IDEMPOTENCY_KEY],
        responses=_ANSWERS,
    )
    @kept
    def post(self, request: Request, message_id: UUID) -> Response:
        """Stop the recipients that wait, are scheduled or held; the others go on."""
        message = self.own(request, message_id)
        read_cancel(request.data)
        cancel_message(message, by=owner_of(request))
        return self.answer(request, message_id)


class RetryView(ChoiceView):
    """`/retry`."""

    @extend_schema(
        operation_id="retry_message",
        summary="Try again at once",
        request=RETRY,
        parameters=[IDEMPOTENCY_KEY],
        responses=_ANSWERS,
    )
    @kept
    def post(self, request: Request, message_id: UUID) -> Response:
        """Try at once what waits for another try, and send again what ended without success."""
        message = self.own(request, message_id)
        uncertain = read_retry(request.data)
        retry_message(message, by=owner_of(request), uncertain=uncertain)
        return self.answer(request, message_id)


class RescheduleView(ChoiceView):
    """`/reschedule`."""

    @extend_schema(
        operation_id="reschedule_message",
        summary="Send a scheduled message at another time",
        request=RESCHEDULE,
        parameters=[IDEMPOTENCY_KEY],
        responses={**_ANSWERS, **problems(422)},
    )
    @kept
    def post(self, request: Request, message_id: UUID) -> Response:
        """Change the time of a message that is scheduled."""
        message = self.own(request, message_id)
        times = read_reschedule(request.data)
        reschedule_message(
            message, by=owner_of(request), send_at=times.send_at, expires_at=times.expires_at
        )
        return self.answer(request, message_id)
