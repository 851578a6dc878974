"""The pages: the list of one's messages, and one message. They hold no rules."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.db.models.functions import Length, Substr
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.history.timeline import DeliverySummary, timeline
from notifications.intake.tokens import newest_token
from notifications.models import Message, User
from notifications.models.state import CANCELLABLE, DEAD_LETTER, State
from notifications.web.grouping import entries_of
from notifications.web.listing import ListFilter, page_of
from notifications.web.paging import what_was_read

TEXT_SHOWN = 50_000
"""Characters of a body that its page shows: a browser need not lay out ten megabytes."""


class SignedInRequest(HttpRequest):
    """A request of someone who has signed in."""

    user: User


@never_cache
@require_safe
@login_required
def message_list(request: SignedInRequest) -> HttpResponse:
    """The user's own messages, newest first."""
    form = ListFilter(request.GET)
    asked = what_was_read(form)
    context = {
        "form": form,
        "page": page_of(request.user, asked),
        "is_filtered": bool(asked or form.errors),
        "base_url": settings.LIMBO_BASE_URL,
    }
    if not context["page"].rows:
        context["token"] = newest_token(request.user)
    return render(request, "web/messages.html", context)


@never_cache
@require_safe
@login_required
def message_page(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """One of the user's own messages: how it stands, its history and its text."""
    with_text = _own(request.user).annotate(
        shown_text=Substr("content__text", 1, TEXT_SHOWN), text_length=Length("content__text")
    )
    message = get_object_or_404(with_text, id=message_id)
    context = _live(message) | {"text_shown": TEXT_SHOWN}
    return render(request, "web/message.html", context)


@never_cache
@require_safe
def message_live(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The part of a message's page that changes, for the page that is open; 204 if nothing has.

    `seen` is the number of the last line of history that the page shows. Where the whole page
    would be another one now, it is told to load itself again.
    """
    if not isinstance(request.user, User):
        page = reverse("web:message", args=[message_id])
        sign_in = f"{reverse('web:sign-in')}?{urlencode({'next': page})}"
        return HttpResponse(status=204, headers={"HX-Redirect": sign_in})
    message = _own(request.user).filter(id=message_id).first()
    if message is None:
        return HttpResponseNotFound(headers={"HX-Refresh": "true"})
    if request.GET.get("seen") == str(message.seq):
        return HttpResponse(status=204)
    return render(request, "web/message_live.html", _live(message))


def _own(owner: User) -> QuerySet[Message]:
    return Message.objects.owned_by(owner).select_related("owner")


def _live(message: Message) -> dict[str, Any]:
    """What the part of the page that changes is made from."""
    told = timeline(message)
    return {
        "message": message,
        "timeline": told,
        "entries": entries_of(told),
        "can_cancel": any(delivery.state in CANCELLABLE for delivery in told.deliveries),
        "can_retry": any(_can_be_retried(delivery) for delivery in told.deliveries),
    }


def _can_be_retried(delivery: DeliverySummary) -> bool:
    waits = delivery.state is State.PENDING and delivery.next_at is not None
    return waits or delivery.state in (*DEAD_LETTER, State.UNCERTAIN)
