"""Idempotency keys: a repeated submission gets the first one's answer, and makes nothing new.

The key's row is written first in the submission's transaction, so that the unique index makes a
second submission with the same key wait until the first one's fate is known.
"""

import hashlib
import json
from dataclasses import MISSING, asdict
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from notifications.intake.errors import Fault, IdempotencyConflictError, InvalidRequestError
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

_UNSAID = {field.name: field.default for field in fields_of(MailRequest)}

_TAKE = """
WITH forgotten AS (
    DELETE FROM notifications_idempotencykey WHERE id IN (
        SELECT id FROM notifications_idempotencykey
        WHERE created_at < now() - %(forget)s * interval '1 hour'
            AND (owner_id, key) <> (%(owner)s, %(key)s)
        ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO notifications_idempotencykey AS held (owner_id, key, request_hash, answer)
VALUES (%(owner)s, %(key)s, %(hash)s, '{}')
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


def take_key(*, owner: User, key: str, request: MailRequest) -> int | dict[str, Any]:
    """Take `key` for this submission: the new row's id, or else the first submission's answer.

    Runs in the submission's transaction and waits for another one that is taking the same key.
    Raises IdempotencyConflictError if the key was used for another request.
    """
    digest = request_hash(request)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "owner": owner.pk,
                "key": key,
                "hash": digest,
                "keep": KEEP_HOURS,
                "forget": _FORGET_HOURS,
                "limit": _FORGET_AT_ONCE,
            },
        )
        taken = cursor.fetchone()
    if taken:
        return int(taken[0])
    held = IdempotencyKey.objects.get(owner=owner, key=key)
    if bytes(held.request_hash) != digest:
        raise IdempotencyConflictError
    return dict(held.answer)


def message_id_of(answer: dict[str, Any]) -> UUID:
    """The message that a kept answer is about."""
    return UUID(answer["id"])
