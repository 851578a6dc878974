"""Who may not sign in for a while, after too many wrong passwords or codes; and letting them in.

Two counts lock people out: of one address, which django-axes keeps, and of all addresses together,
which allauth keeps in the cache.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.account.adapter import get_adapter
from allauth.core.internal.ratelimit import Rate, get_cache_key, get_rates
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from notifications.models import User


@dataclass(frozen=True, slots=True)
class LockOut:
    """From where somebody may not sign in, and until when."""

    where: str
    until: datetime


def lock_outs_of(user: User, request: HttpRequest) -> list[LockOut]:
    """All that keep `user` from signing in now; the `request` is staff's."""
    return [*_by_address(user), *_everywhere(user, request)]


def let_in(user: User, request: HttpRequest) -> None:
    """Let `user` try again at once: what was wrong so far does not count any more."""
    AxesProxyHandler.reset_attempts(username=user.get_username())
    cache.delete_many([key for key, _ in _counts(user, request)])


def _by_address(user: User) -> Iterator[LockOut]:
    """One browser's wrong tries at one address are one row, which counts from its latest on."""
    counted = timezone.now() - settings.AXES_COOLOFF_TIME
    wrong: Counter[str] = Counter()
    tries = AccessAttempt.objects.filter(username=user.get_username(), attempt_time__gt=counted)
    for some in tries.order_by("-attempt_time"):
        where = some.ip_address or "an unknown address"
        before = wrong[where]
        wrong[where] += some.failures_since_start
        if before < settings.AXES_FAILURE_LIMIT <= wrong[where]:
            yield LockOut(f"from {where}", some.attempt_time + settings.AXES_COOLOFF_TIME)


def _everywhere(user: User, request: HttpRequest) -> Iterator[LockOut]:
    for key, rate in _counts(user, request):
        times = [at for at in cache.get(key, []) if at > time.time() - rate.duration]
        if len(times) >= rate.amount:
            ends = times[rate.amount - 1] + rate.duration
            yield LockOut("from everywhere", datetime.fromtimestamp(ends, UTC))


def _counts(user: User, request: HttpRequest) -> Iterator[tuple[str, Rate]]:
    """Where the cache has the times of wrong passwords and codes, newest first, and their bound."""
    app, action = "allauth.account", "login_failed"
    name = user.get_username()
    own = get_adapter(request)
    passwords = own._get_login_attempts_cache_key(request, username=name)  # noqa: SLF001 - its only maker
    codes = f"mfa-auth-user-{user.pk}"
    for rate in get_rates(app=app, action=action):
        if rate.per == "key":
            for key in (passwords, codes):
                yield get_cache_key(request, app=app, action=action, rate=rate, key=key), rate
