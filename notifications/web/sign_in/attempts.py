"""Wrong codes count as wrong passwords do: by user and address, in django-axes' table."""

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from notifications.models import User


def is_locked_out(request: HttpRequest, user: User) -> bool:
    """Whether `user` was wrong too often from this address."""
    return not AxesProxyHandler.is_allowed(request, _named(user))


def note_wrong_code(request: HttpRequest, user: User) -> bool:
    """Count a wrong code; answers whether it was one too many."""
    user_login_failed.send(sender=__name__, credentials=_named(user), request=request)
    return bool(getattr(request, "axes_locked_out", False))


def _named(user: User) -> dict[str, str]:
    return {"username": user.get_username()}
