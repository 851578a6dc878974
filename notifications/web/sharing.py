"""Links to a message's status: made and revoked by its owner, followed by anybody who has one."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications.history.sharing import (
    TooManyLinksError,
    key_of,
    link_of,
    revoke_link,
    share,
    view_of,
)
from notifications.models import Delivery, Message, SharedLink
from notifications.web.views import SignedInRequest

SHOWN = 50
"""Links on the page, the newest."""

_LASTS = {"1": "a day", "7": "a week", "30": "30 days"}


class NewLinkForm(forms.Form):
    """Whose status a new link shows, and for how long."""

    recipient = forms.ModelChoiceField(
        Delivery.objects.none(),
        required=False,
        label="It shows",
        empty_label="All recipients, masked",
    )
    lasts = forms.ChoiceField(choices=list(_LASTS.items()), initial="7", label="It lasts")

    def __init__(self, message: Message, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["recipient"]
        field.queryset = Delivery.objects.filter(message=message).order_by("id")
        field.label_from_instance = lambda delivery: delivery.address


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def link_list(request: SignedInRequest, message_id: UUID) -> HttpResponse:
    """The links to one of the user's own messages, newest first; a form makes another one."""
    message = get_object_or_404(Message.objects.owned_by(request.user), id=message_id)
    form = NewLinkForm(message, request.POST or None)
    if form.is_valid():
        lasts = timedelta(days=int(form.cleaned_data["lasts"]))
        try:
            with transaction.atomic():
                share(message, delivery=form.cleaned_data["recipient"], lasts=lasts)
        except TooManyLinksError:
            form.add_error(None, "This message has too many open links. Revoke one first.")
        else:
            return redirect("web:links", message_id)
    links = SharedLink.objects.filter(message=message).select_related("delivery").order_by("-id")
    now = timezone.now()
    shown = [(link, _address(link), link.is_open(now=now)) for link in links[:SHOWN]]
    return render(request, "web/links.html", {"message": message, "form": form, "links": shown})


@never_cache
@require_POST
@login_required
def link_revoke(request: SignedInRequest, link_id: UUID) -> HttpResponse:
    """End one of the user's own links."""
    link = get_object_or_404(SharedLink, id=link_id, owner=request.user)
    revoke_link(link)
    return redirect("web:links", link.message_id)


@never_cache
@require_safe
def shared(request: HttpRequest, key: str) -> HttpResponse:
    """What a link shows; no sign-in is asked for."""
    link = link_of(key)
    if link is None:
        raise Http404
    is_open = link.is_open(now=timezone.now())
    context = {"view": view_of(link)} if is_open else {}
    template = "web/shared.html" if is_open else "web/shared_ended.html"
    answer = render(request, template, context, status=200 if is_open else 410)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    # the address is all that is needed to read the page
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _address(link: SharedLink) -> str:
    base_url: str = settings.LIMBO_BASE_URL
    return base_url.rstrip("/") + reverse("web:shared", args=[key_of(link)])
