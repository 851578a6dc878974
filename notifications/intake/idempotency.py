"""Idempotency keys: a repeated submission gets the first one's answer, and makes nothing new.

The key is taken first in the submission's transaction, under a lock that others do not wait for:
while the first one with a key runs, the second is told so.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict
from dataclasses import fields as fields_of
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from notifications.intake.errors import (
    Fault,
    IdempotencyConflictError,
    InvalidRequestError,
    StillRunningError,
)
from notifications.intake.mail_request import MailRequest
from notifications.intake.templates.choice import REPLACED
from notifications.models import IdempotencyKey, User

KEEP_HOURS = 24
"""How long a key holds; after that it may be used for something new."""

MAX_KEY_LENGTH = 256

# Kept an hour longer than they hold, so that none disappears between the two statements of
# `take_key`; each keyed submission removes a few more than it adds.
_FORGET_HOURS = KEEP_HOURS + 1
_FORGET_AT_ONCE = 10

_SALT = 0x1DE0
"""Keeps the locks of keys apart from others of the database."""

_UNSAID = {field.name: field.default for field in fields_of(MailRequest)}

# Whoever has the lock is the first, or finds the first one's answer. It ends with the transaction,
# so also with a process that is killed.
_TAKE = """
WITH lock AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(
        hashtextextended(%(owner)s::bigint || ' ' || %(key)s::text, %(salt)s::bigint)
    ) AS is_ours
),
forgotten AS (
    DELETE FROM notifications_idempotencykey WHERE id IN (
        SELECT id FROM notifications_idempotencykey
        WHERE created_at < now() - %(forget)s * interval '1 hour'
            AND (owner_id, key) <> (%(owner)s, %(key)s)
        ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO notifications_idempotencykey AS held (owner_id, key, request_hash, answer)
SELECT %(owner)s, %(key)s, %(hash)s, '{}' FROM lock WHERE is_ours
ON CONFLICT (owner_id, key) DO UPDATE
SET request_hash = excluded.request_hash, answer = excluded.answer, created_at = now()
WHERE held.created_at < now() - %(keep)s * interval '1 hour'
RETURNING id
"""


def check_key(key: str) -> None:
    """Raise InvalidRequestError unless `key` is 1 to 256 printable ASCII characters."""
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= MAX_KEY_LENGTH):
        detail = f"An Idempotency-Key has 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        raise InvalidRequestError(Fault("", detail, "idempotency_key"))


def request_hash(request: MailRequest) -> bytes:
    """What two submissions have in common when they ask for the same."""
    # what says nothing is left out, so that a key that was taken before there was a field holds
    said = {
        name: value
        for name, value in asdict(request).items()
        if value != _UNSAID.get(name, MISSING)
    }
    if request.template is not None:
        # the template may have changed since the first submission; what is asked has not
        said = {name: value for name, value in said.items() if name not in REPLACED}
        said["template"] = request.template.asked
    canonical = json.dumps(said, sort_keys=True, ensure_ascii=True, default=_canonical)
    return hashlib.sha256(canonical.encode()).digest()


def _canonical(value: object) -> str:
    """What JSON has no form for: a file's content, and a moment."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} in a request")


def take_key(*, owner: User, key: str, digest: bytes) -> int | dict[str, Any]:
    """Take `key` for what has this `digest`: the new row's id, or else the first one's answer.

    Runs in the transaction that stores what is answered. Raises StillRunningError while another
    one has the key and no answer yet, IdempotencyConflictError if the key was used for another
    request.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "owner": owner.pk,
                "key": key,
                "salt": _SALT,
                "hash": digest,
                "keep": KEEP_HOURS,
                "forget": _FORGET_HOURS,
                "limit": _FORGET_AT_ONCE,
            },
        )
        taken = cursor.fetchone()
    if taken:
        return int(taken[0])
    holds_from = Now() - timedelta(hours=KEEP_HOURS)
    held = IdempotencyKey.objects.filter(owner=owner, key=key, created_at__gte=holds_from).first()
    if held is None:
        raise StillRunningError
    if bytes(held.request_hash) != digest:
        raise IdempotencyConflictError
    return dict(held.answer)


def keep_answer(key_id: int, answer: Mapping[str, Any]) -> None:
    """Keep what was answered to the request that took the key, in its transaction."""
    IdempotencyKey.objects.filter(id=key_id).update(answer=answer)


def message_id_of(answer: dict[str, Any]) -> UUID:
    """The message that a kept answer is about."""
    return UUID(answer["id"])
