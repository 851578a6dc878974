"""The way into the admin: the one sign-in, and a second factor that this very session has proved.

That an account has one is not enough: whoever had signed in by password alone, before it was set
up, would stay in.

A page that renews a part of itself is told to load anew when its session has ended: else the
sign-in would be put in the place of the part.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.decorators import secure_admin_login
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from notifications.models import User

_STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as a second factor; recovery codes only stand in for one."""

_View = Callable[..., HttpResponseBase]


def guard(site: AdminSite) -> None:
    """Let nobody into the admin but staff who signed in as they must."""
    may_enter = site.has_permission

    def has_permission(request: HttpRequest) -> bool:
        return may_enter(request) and is_proved(request)

    site.has_permission = has_permission  # type: ignore[method-assign]
    site.admin_view = _lead_whole_pages(site)  # type: ignore[method-assign, assignment]
    site.login = secure_admin_login(_lead_to_proof(site.login))  # type: ignore[method-assign]


def _lead_whole_pages(site: AdminSite) -> Callable[..., _View]:
    """The site's `admin_view`, which leads the page to the sign-in where a part of it was asked."""
    guarded = site.admin_view

    def admin_view(view: _View, cacheable: bool = False) -> _View:
        inner = guarded(view, cacheable)

        @wraps(inner)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if "HX-Request" in request.headers and not site.has_permission(request):
                return HttpResponse(status=204, headers={"HX-Refresh": "true"})
            return inner(request, *args, **kwargs)

        return answer

    return admin_view


def is_proved(request: HttpRequest) -> bool:
    """Whether the second factor that staff need was given in this session, or none is needed."""
    if not settings.LIMBO_STAFF_SECOND_FACTOR:
        return True
    methods = {record["method"] for record in get_authentication_records(request, request.user)}
    return "mfa" in methods and _has_one(request)


def _has_one(request: HttpRequest) -> bool:
    """Whether the account has a second factor; asked once a request."""
    if not hasattr(request, "limbo_has_second_factor"):
        found = is_mfa_enabled(request.user, _STRONG)
        request.limbo_has_second_factor = found  # type: ignore[attr-defined]
    return bool(request.limbo_has_second_factor)  # type: ignore[attr-defined]


def _lead_to_proof(login: _View) -> _View:
    """Lead staff who have proved no second factor to where they do, or set one up."""

    @wraps(login)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_proved(request):
            return login(request, *args, **kwargs)
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        if _has_one(request):
            return redirect(f"{_where_to_prove(request)}?{urlencode({'next': wanted})}")
        messages.warning(
            request, "The admin opens to staff with a second factor. Set one up here, then go on."
        )
        return redirect("mfa_index")

    return view


def _where_to_prove(request: HttpRequest) -> str:
    """The page that asks for a second factor which the account has."""
    return str(get_adapter().get_reauthentication_methods(request.user)[0]["url"])


@receiver(authenticator_added, dispatch_uid="notifications.web.sign_in")
def _note_proof(
    request: HttpRequest, user: User, authenticator: Authenticator, **_kwargs: Any
) -> None:
    """Setting one up took a code of it, which is as good as giving one."""
    if authenticator.type in _STRONG:
        record_authentication(
            request, user, "mfa", id=authenticator.pk, type=str(authenticator.type)
        )
