"""The door: every way in calls `submit`, and what it returns is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg.types.numeric import Int4, Int8
from uuid_utils.compat import uuid7

from notifications.history.arrays import id_array, plain_array, text_array
from notifications.history.requests import RequestOrigin, record_request
from notifications.intake.allowance import Bucket, allowance_parameters
from notifications.intake.idempotency import check_key, message_id_of, request_hash, take_key
from notifications.intake.mail_request import MailRequest
from notifications.intake.option_columns import option_parameters, store_files
from notifications.intake.single_statement import store_message
from notifications.models import State, User
from notifications.models.ids import new_id
from notifications.models.wakeup import wake

ACCEPTED = 200
"""The status that the request log gives a submission."""


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
    parameters = {
        "id": message_id,
        "owner": Int8(owner.pk),
        "key_id": key_id and Int8(key_id),
        **allowance_parameters(1),
        **_message_parameters(message_id, request),
        **option_parameters(request),
        **_recipient_parameters(request),
        **_log_parameters(log),
    }
    state, limits = store_message(owner, parameters, is_keyed=key_id is not None)
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
        "ids": id_array(new_id() for _ in recipients),
        "kinds": text_array(kind.value for kind, _, _ in recipients),
        "positions": plain_array(position for _, position, _ in recipients),
        "addresses": text_array(mailbox.address for _, _, mailbox in recipients),
        "names": text_array(mailbox.name for _, _, mailbox in recipients),
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
