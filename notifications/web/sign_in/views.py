"""What allauth's own pages of signing in do not do."""

from allauth.account import views
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache


@never_cache
def ask_for_link_page(request: HttpRequest) -> HttpResponseBase:
    """Ask for a link to a new password; whom to ask instead, where Limbo sends none."""
    if not settings.LIMBO_SENDER:
        return render(request, "account/password_reset_off.html")
    answer: HttpResponseBase = views.password_reset(request)
    return answer


def change_password_page(request: HttpRequest) -> HttpResponseBase:
    """Change the password, of an account that has one: staff may have taken it away."""
    if request.user.is_authenticated and not request.user.has_usable_password():
        raise PermissionDenied
    answer: HttpResponseBase = views.password_change(request)
    return answer
