"""Tokens: how an application proves who it is.

A token is 256 random bits, so a plain SHA-256 of it is as hard to turn back as any slow hash, and
its digest is found by an index. What was shown once cannot be shown again.
"""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import DatabaseError
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from notifications.intake.known_tokens import KnownTokens
from notifications.models import ApiToken, Scope, User

logger = logging.getLogger(__name__)

MARK = "lk_"
"""Every token begins with it, so that a scanner for leaked secrets can know one."""

TEST_MARK = "lk_test_"
"""Test tokens begin with it, so that people see at once that they reach nobody."""

_TELLING = 8
"""So many characters after the mark tell tokens apart, and are no help in guessing one."""

USUAL_SCOPES = (Scope.SEND, Scope.READ)
"""What a token may do unless its maker says otherwise."""

_RANDOM_BYTES = 32
_LAST_USE_STEP = timedelta(minutes=1)

_known = KnownTokens()


def issue_token(
    *,
    owner: User,
    name: str,
    scopes: Iterable[Scope | str] = USUAL_SCOPES,
    expires_at: datetime | None = None,
    allowed_senders: Iterable[str] = (),
    allowed_networks: Iterable[str] = (),
    is_test: bool = False,
) -> tuple[ApiToken, str]:
    """Make a token for `owner`; returns its row and the plain token, which nobody can read again.

    Without `allowed_senders` it may send from any address, without `allowed_networks` be used from
    anywhere: see `token_limits`. What a test token submits goes to the sandbox. Raises ValueError
    for a scope that does not exist, or for what is no network.
    """
    mark = TEST_MARK if is_test else MARK
    plain = mark + secrets.token_urlsafe(_RANDOM_BYTES)
    token = ApiToken.objects.create(
        owner=owner,
        name=name,
        prefix=plain[: len(mark) + _TELLING],
        digest=_digest(plain),
        scopes=[Scope(scope).value for scope in scopes],
        expires_at=expires_at,
        allowed_senders=list(allowed_senders),
        allowed_networks=[str(ip_network(network)) for network in allowed_networks],
        is_test=is_test,
    )
    return token, plain


def authenticate(plain: str) -> ApiToken | None:
    """The valid token that `plain` is, with its owner; None for any other text.

    A token of an inactive owner is not valid. One query, and none within KNOWN_SECONDS of the last:
    so long a revocation in another process may go unnoticed; an expiry never does. Its last use is
    written down at most once a minute.
    """
    if not plain.startswith(MARK) or not plain.isascii():
        return None
    token = _find(_digest(plain))
    now = timezone.now()
    if token is None or not token.is_valid(now=now) or not token.owner.is_active:
        return None
    if token.last_used_at is None or token.last_used_at <= now - _LAST_USE_STEP:
        _note_use(token)
    return token


def revoke(token: ApiToken) -> None:
    """End `token` now; one that is revoked already keeps its time."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now())
    _known.forget(bytes(token.digest))
    token.refresh_from_db(fields=["revoked_at"])


def newest_token(owner: User) -> ApiToken | None:
    """The token that the owner made last of those that may submit messages now."""
    lasting = Q(expires_at=None) | Q(expires_at__gt=Now())
    valid = ApiToken.objects.filter(lasting, owner=owner, revoked_at=None)
    return valid.filter(scopes__contains=[Scope.SEND]).order_by("-id").first()


def _find(digest: bytes) -> ApiToken | None:
    token = _known.get(digest)
    if token is None:
        token = ApiToken.objects.select_related("owner").filter(digest=digest).first()
        if token is not None:
            _known.put(token)
    return token


def _digest(plain: str) -> bytes:
    return hashlib.sha256(plain.encode()).digest()


def _note_use(token: ApiToken) -> None:
    before = Q(last_used_at=None) | Q(last_used_at__lte=Now() - _LAST_USE_STEP)
    try:
        ApiToken.objects.filter(before, pk=token.pk).update(last_used_at=Now())
        token.last_used_at = timezone.now()
    except DatabaseError as error:
        # a database that only reads can still say who is asking
        logger.warning("The last use of token %s was not noted: %s", token.prefix, error)
