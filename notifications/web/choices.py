"""The pages on which an owner cancels a message, or has it tried again. They ask first."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from notifications.models import Delivery, Message
from notifications.models.state import CANCELLABLE, DEAD_LETTER, State
from notifications.queue.owner_choices import IllegalChoiceError, cancel_message, retry_message
from notifications.web.views import SignedInRequest

_Choice = Callable[[SignedInRequest, Message], None]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def message_cancel(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Ask whether what waits of one of the user's own messages is to be stopped, and stop it."""
    return _page(request, message_id, "web/message_cancel.html", _cancel)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def message_retry(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """Ask whether one of the user's own messages is to be tried again, and try it."""
    return _page(request, message_id, "web/message_retry.html", _retry)


def _page(
    request: SignedInRequest, message_id: UUID, template: str, choose: _Choice
) -> HttpResponse:
    """The question; once answered, the message's page, or the question with why it cannot be."""
    message = get_object_or_404(Message.objects.owned_by(request.user), id=message_id)
    fault = ""
    if request.method == "POST":
        try:
            choose(request, message)
        except IllegalChoiceError as error:
            fault = str(error)
        else:
            return redirect("web:message", message_id)
    context = {"message": message, "fault": fault, **_counts(message)}
    return render(request, template, context, status=409 if fault else 200)


def _cancel(request: SignedInRequest, message: Message) -> None:
    cancel_message(message, by=request.user)


def _retry(request: SignedInRequest, message: Message) -> None:
    retry_message(message, by=request.user, uncertain=_is_ticked(request))


def _is_ticked(request: HttpRequest) -> bool:
    return request.POST.get("uncertain") == "on"


def _counts(message: Message) -> dict[str, Any]:
    """How many deliveries each choice is about."""
    rows = Delivery.objects.filter(message=message).values_list("state", "due_at")
    states = Counter(state for state, _ in rows)
    now = timezone.now()
    return {
        "cancellable": sum(states[state] for state in CANCELLABLE),
        "ended": sum(states[state] for state in DEAD_LETTER),
        "uncertain": states[State.UNCERTAIN],
        "waiting": sum(
            state == State.PENDING and due_at is not None and due_at > now for state, due_at in rows
        ),
    }
