"""The page of one's requests: what applications asked of the API, and how they were answered."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.history.past_requests import LOOKED_THROUGH, Wanted, past_requests
from notifications.models import ApiToken, User
from notifications.web.paging import NumberCursorForm, what_was_read
from notifications.web.period import PeriodForm
from notifications.web.tokens import SHOWN
from notifications.web.views import SignedInRequest

PAGE = 50
"""Requests on a page."""

_CLASSES = {"": "Any answer", "2": "Taken (2xx)", "4": "Refused (4xx)", "5": "Failed (5xx)"}


class RequestFilter(NumberCursorForm, PeriodForm):
    """Which requests are asked for. A part that cannot be read is told and not applied."""

    path = forms.CharField(
        required=False,
        max_length=2048,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": "/v1/mail",
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )
    status = forms.ChoiceField(label="Answer", required=False, choices=list(_CLASSES.items()))
    token = forms.ChoiceField(required=False)

    def __init__(self, owner: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tokens = ApiToken.objects.filter(owner=owner).order_by("-id")[:SHOWN]
        named = [(str(token.id), f"{token.name} ({token.prefix}…)") for token in tokens]
        field: Any = self.fields["token"]
        field.choices = [("", "Any token"), *named]

    def clean_path(self) -> str:
        """As the log has it: percent-encoded, and without the query."""
        path: str = self.cleaned_data["path"]
        return quote(path.partition("?")[0], safe="/%")

    def wanted(self) -> Wanted:
        """What of the filter could be read."""
        asked = self.cleaned_data
        return Wanted(
            status_class=int(asked["status"]) if asked.get("status") else None,
            path=asked.get("path", ""),
            token=asked.get("token") or None,
            since=asked.get("since"),
            until=asked.get("until"),
        )


@never_cache
@require_safe
@login_required
def request_list(request: SignedInRequest) -> HttpResponse:
    """The user's own requests, newest first."""
    form = RequestFilter(request.user, request.GET)
    asked = what_was_read(form)
    page = past_requests(
        request.user,
        form.wanted(),
        before=asked.get("before"),
        after=asked.get("after"),
        size=PAGE,
    )
    context = {
        "form": form,
        "page": page,
        "looked_through": f"{LOOKED_THROUGH:,}",
        "is_filtered": bool(asked or form.errors),
        "base_url": settings.LIMBO_BASE_URL,
    }
    return render(request, "web/requests.html", context)
