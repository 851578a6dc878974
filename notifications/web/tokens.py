"""The page of one's tokens: make one, see what there is, revoke one."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from notifications.intake.tokens import USUAL_SCOPES, issue_token, revoke
from notifications.models import ApiToken, Scope, User
from notifications.web.views import SignedInRequest

SHOWN = 200
"""Tokens on the page, the newest: more than anybody can tell apart."""

_LASTS = {"30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}


class NewTokenForm(forms.Form):
    """What a new token is for, and what it may do."""

    name = forms.CharField(max_length=100, label="What is it for?")
    scopes = forms.MultipleChoiceField(
        choices=Scope,
        initial=[scope.value for scope in USUAL_SCOPES],
        widget=forms.CheckboxSelectMultiple,
        label="It may",
    )
    is_test = forms.BooleanField(
        required=False,
        label="It is for tests: what it submits goes to the sandbox, and to nobody",
    )
    lasts = forms.ChoiceField(
        choices=list(_LASTS.items()), initial="90", required=False, label="It lasts"
    )

    def ends_at(self) -> Any:
        """When it ends; None for never by itself."""
        days = self.cleaned_data["lasts"]
        return timezone.now() + timedelta(days=int(days)) if days else None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def token_list(request: SignedInRequest) -> HttpResponse:
    """The user's own tokens, newest first; a new one is shown once, in the answer that made it."""
    form = NewTokenForm(request.POST or None)
    context: dict[str, Any] = {"base_url": settings.LIMBO_BASE_URL}
    if form.is_valid():
        made, context["plain"] = issue_token(
            owner=request.user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.ends_at(),
            is_test=form.cleaned_data["is_test"],
        )
        context["made"] = made
        form = NewTokenForm()
    tokens = [(token, _standing(token)) for token in _own(request.user).order_by("-id")[:SHOWN]]
    return render(request, "web/tokens.html", {**context, "form": form, "tokens": tokens})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def token_revoke(request: SignedInRequest, token_id: UUID) -> HttpResponse:
    """Ask whether one of the user's own tokens is to end, and end it."""
    token = get_object_or_404(_own(request.user), id=token_id)
    if request.method == "POST":
        revoke(token)
        return redirect("web:tokens")
    return render(request, "web/token_revoke.html", {"token": token})


def _own(owner: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(owner=owner)


def _standing(token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "valid" if token.is_valid(now=timezone.now()) else "expired"
