"""The door: every way in calls `submit`, and what it returns is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg.types.numeric import Int4, Int8
from uuid_utils.compat import uuid7

from notifications.history.requests import RequestOrigin, record_request
from notifications.intake.allowance import (
    ALLOWANCE,
    ALLOWANCE_COLUMNS,
    WITHIN,
    Bucket,
    allowance_parameters,
    read_allowance,
)
from notifications.intake.idempotency import check_key, message_id_of, request_hash, take_key
from notifications.intake.mail_request import MailRequest
from notifications.intake.option_columns import option_parameters, store_files
from notifications.models import State, User
from notifications.models.prepared import LongStatement
from notifications.models.wakeup import wake

ACCEPTED = 200
"""The status that the request log gives a submission."""

# One statement is one round trip and one transaction of its own. It is prepared, since planning it
# takes longer than running it; integers say their width, and the rest its type, so that it is the
# same statement each time. The suppression is looked up under the address as given and in lower
# case: whoever asked for no more mail did not mean a spelling. Constraints between the tables are
# checked at the commit, so their order is free.
#
# The message gets no turn yet (see queue.turns): the user's share would stay locked until the
# commit, and his submissions would be committed one after the other.
_STORE = LongStatement(f"""
WITH {ALLOWANCE},
r AS (
    SELECT t.*, s.reason, s.reason IS NOT NULL AS is_suppressed
    FROM unnest(
        %(ids)s::uuid[], %(kinds)s::text[], %(positions)s::int[], %(addresses)s::text[],
        %(names)s::text[]
    ) WITH ORDINALITY t (id, kind, position, address, name, place)
    LEFT JOIN LATERAL (
        SELECT reason FROM notifications_suppression
        WHERE owner_id = %(owner)s AND address IN (t.address, lower(t.address)) LIMIT 1
    ) s ON true
    WHERE {WITHIN}
),
m AS (
    INSERT INTO notifications_message
        (id, owner_id, sender, sender_address, subject, header_message_id, accepted_at,
         expires_at, state, seq, due_at, priority, reply_to, headers, tags, metadata,
         send_at, on_uncertain, preferred_provider, failover, template_version_id, is_test)
    SELECT %(id)s, %(owner)s, %(sender)s::text, %(sender_address)s::text, %(subject)s::text,
        %(header_id)s::text, now(),
        coalesce(%(expires_at)s, coalesce(%(send_at)s, now()) + %(lifetime)s),
        CASE WHEN bool_and(is_suppressed) THEN 'suppressed' ELSE %(state)s::text END,
        1 + count(*) FILTER (WHERE is_suppressed),
        CASE WHEN NOT bool_and(is_suppressed) THEN coalesce(%(send_at)s, now()) END,
        %(priority)s::text, %(reply_to)s::text[],
        %(headers)s::jsonb, %(tags)s::text[], %(metadata)s::jsonb, %(send_at)s,
        %(on_uncertain)s::text, %(provider)s::text, %(failover)s, %(template_version)s::bigint,
        %(is_test)s
    FROM r HAVING count(*) > 0
    RETURNING state
),
c AS (
    INSERT INTO notifications_content (message_id, text, html, attached_octets)
    SELECT %(id)s, %(text)s::text, %(html)s::text, %(attached_octets)s FROM m
),
d AS (
    INSERT INTO notifications_delivery
        (id, message_id, owner_id, kind, position, address, name, state, generation, rounds,
         backoffs, due_at, finalized_at)
    SELECT id, %(id)s, %(owner)s, kind, position, address, name,
        CASE WHEN is_suppressed THEN 'suppressed' ELSE %(state)s::text END, 1, 0, 0,
        CASE WHEN NOT is_suppressed THEN coalesce(%(send_at)s, now()) END,
        CASE WHEN is_suppressed THEN now() END
    FROM r ORDER BY place
),
e AS (
    INSERT INTO notifications_event (message_id, delivery_id, seq, kind, at, data)
    SELECT %(id)s, NULL::uuid, 1, 'accepted', now(), %(accepted)s::jsonb FROM m
    UNION ALL
    SELECT %(id)s, id, 1 + row_number() OVER (ORDER BY place), 'suppressed', now(),
        jsonb_build_object('reason', reason)
    FROM r WHERE is_suppressed
    ORDER BY 3
),
k AS (
    UPDATE notifications_idempotencykey
    SET answer = (SELECT jsonb_build_object('id', %(id)s::uuid, 'state', state) FROM m)
    WHERE id = %(key_id)s AND EXISTS (SELECT FROM m)
),
l AS (
    INSERT INTO notifications_requestlog
        (owner_id, method, path, status, address, duration_ms, message_id, request_id, token_id)
    SELECT %(owner)s, %(method)s::text, %(path)s::text, %(status)s, %(client)s::inet, %(duration)s,
        %(id)s, %(request_id)s::uuid, %(token_id)s::uuid
    FROM m WHERE %(method)s::text IS NOT NULL
)
SELECT m.state, {ALLOWANCE_COLUMNS} FROM (SELECT) one LEFT JOIN m ON true LEFT JOIN b ON true
""")  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a request: the message, and the state it was stored in."""

    message_id: UUID
    state: State
    is_repeat: bool = False
    """The Idempotency-Key was known: this is the first submission's answer, nothing was stored."""
    limits: tuple[Bucket, ...] = ()
    """The user's, as they stand now."""


def submit(
    *,
    owner: User,
    request: MailRequest,
    idempotency_key: str | None = None,
    log: RequestOrigin | None = None,
) -> Submission:
    """Store a message with its deliveries, its history and its line in the request log.

    When it returns, all of that is committed and its workers will be woken; when it raises, nothing
    is stored (unless the database went away during the commit: then only a repeat under the same
    key can tell). One statement, which is the only round trip where there is neither a file nor an
    `idempotency_key`, however many recipients. With a key a repeat within 24 hours returns the
    first submission's answer.

    Raises IdempotencyConflictError if the key was used for another request, StillRunningError while
    the first one with it has no answer yet, InvalidRequestError for an impossible key,
    LimitReachedError where the owner may not submit so much,
    DatabaseError if the database cannot store.
    """
    if idempotency_key is None and not request.attachments:
        return _store(owner, request, log)
    with transaction.atomic():
        if idempotency_key is None:
            return _store(owner, request, log)
        check_key(idempotency_key)
        taken = take_key(owner=owner, key=idempotency_key, digest=request_hash(request))
        if isinstance(taken, int):
            return _store(owner, request, log, key_id=taken)
        return _repeat(owner, taken, log)


def _store(
    owner: User, request: MailRequest, log: RequestOrigin | None, key_id: int | None = None
) -> Submission:
    message_id = uuid7()
    ((state, *allowance),) = _STORE.run(
        {
            "id": message_id,
            "owner": Int8(owner.pk),
            "key_id": key_id and Int8(key_id),
            **allowance_parameters(1),
            **_message_parameters(message_id, request),
            **option_parameters(request),
            **_recipient_parameters(request),
            **_log_parameters(log),
        }
    )
    limits = read_allowance(tuple(allowance), count=1)
    store_files([(message_id, request.attachments)])
    transaction.on_commit(wake)
    return Submission(message_id, State(state), limits=limits)


def _repeat(owner: User, answer: dict[str, Any], log: RequestOrigin | None) -> Submission:
    first = Submission(message_id_of(answer), State(answer["state"]), is_repeat=True)
    if log is not None:
        record_request(log, owner=owner, status=ACCEPTED, message_id=first.message_id)
    return first


def _message_parameters(message_id: UUID, request: MailRequest) -> Mapping[str, Any]:
    return {
        "sender": str(request.sender),
        "sender_address": request.sender.address,
        "subject": request.subject,
        "header_id": f"<{message_id.hex}@{request.sender.ascii_domain}>",
        "text": request.message,
        "priority": request.priority.value,
    }


def _recipient_parameters(request: MailRequest) -> Mapping[str, Any]:
    recipients = list(request.recipients())
    return {
        "ids": [uuid7() for _ in recipients],
        "kinds": [kind.value for kind, _, _ in recipients],
        "positions": [position for _, position, _ in recipients],
        "addresses": [mailbox.address for _, _, mailbox in recipients],
        "names": [mailbox.name for _, _, mailbox in recipients],
    }


def _log_parameters(log: RequestOrigin | None) -> Mapping[str, Any]:
    """The request log's line; without a request there is none."""
    return {
        "method": log.short_method() if log else None,
        "path": log.path if log else None,
        "client": log.address if log else None,
        "duration": Int4(log.duration_ms()) if log else None,
        "request_id": log.request_id if log else None,
        "token_id": log.token_id if log else None,
        "status": Int4(ACCEPTED),
    }
