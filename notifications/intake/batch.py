"""Many submissions in one request: each is taken or refused by itself, or all stand together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from psycopg.types.numeric import Int4, Int8
from uuid_utils.compat import uuid7

from notifications.history.requests import RequestOrigin, record_request
from notifications.intake.allowance import Bucket, allowance_parameters, read_allowance
from notifications.intake.batch_statement import STORE_MANY, message_row, recipient_rows
from notifications.intake.errors import (
    Fault,
    ImpossibleRequestError,
    InvalidRequestError,
    RefusedRequestError,
)
from notifications.intake.idempotency import check_key, keep_answer, take_key
from notifications.intake.mail_request import MailRequest
from notifications.intake.option_columns import store_files
from notifications.intake.options.times import LIFETIME
from notifications.intake.reader import Reader
from notifications.intake.submission import ACCEPTED, Submission
from notifications.intake.templates.shelf import Shelf
from notifications.intake.token_limits import read_allowed
from notifications.models import ApiToken, State, User
from notifications.models.wakeup import wake

MAX_MESSAGES = 1000
"""In one batch."""

_FIELDS = frozenset(("messages", "atomic"))

Outcome = Submission | RefusedRequestError
"""What became of one message of a batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it was read: in each place a submission, or why there is none."""

    places: Sequence[MailRequest | RefusedRequestError]
    asked: object
    """What was asked, in words of JSON; the same for a repeat."""

    def digest(self) -> bytes:
        """What two batches have in common when they ask for the same."""
        return hashlib.sha256(json.dumps(self.asked, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of a batch, place by place."""

    outcomes: Sequence[Outcome]
    is_repeat: bool = False
    """The Idempotency-Key was known: this is the first batch's answer, nothing was stored."""

    @property
    def limits(self) -> tuple[Bucket, ...]:
        """The user's, as they stand now."""
        stored = (outcome for outcome in self.outcomes if isinstance(outcome, Submission))
        return next((submission.limits for submission in stored), ())


def read_batch(fields: object, *, shelf: Shelf, token: ApiToken) -> Batch:
    """Read a batch from decoded JSON: `messages`, and `atomic` if all or nothing is to be stored.

    `shelf` has the owner's templates; `token` limits whom the messages may be from. Raises
    InvalidRequestError when it is no batch; with `atomic` ImpossibleRequestError with the faults of
    its messages.
    """
    reader = Reader()
    items, is_atomic = _read_frame(reader, fields)
    if reader.faults:
        raise InvalidRequestError(*reader.faults)
    places = [_read_place(number, item, shelf, token) for number, item in enumerate(items)]
    refused = [place for place in places if isinstance(place, RefusedRequestError)]
    if is_atomic and refused:
        raise ImpossibleRequestError(*[fault for refusal in refused for fault in refusal.faults])
    # apart from those of single submissions, which hash what the request says
    return Batch(places, ["test batch" if token.is_test else "batch", fields])


def submit_batch(
    *, owner: User, batch: Batch, idempotency_key: str | None = None, log: RequestOrigin
) -> BatchAnswer:
    """Store what of a batch is not refused, and its line in the request log, in one transaction.

    When it returns, all of that is committed; when it raises, nothing is stored. The number of
    statements is the same however many messages. With a key a repeat within 24 hours returns the
    first batch's answer. Raises what `submit` raises.
    """
    if idempotency_key is not None:
        check_key(idempotency_key)
    with transaction.atomic():
        taken = (
            None
            if idempotency_key is None
            else take_key(owner=owner, key=idempotency_key, digest=batch.digest())
        )
        is_repeat = isinstance(taken, dict)
        outcomes = _recall(taken) if isinstance(taken, dict) else _store(owner, batch)
        if isinstance(taken, int):
            keep_answer(taken, {"places": [_kept(outcome) for outcome in outcomes]})
        record_request(log, owner=owner, status=ACCEPTED)
    return BatchAnswer(outcomes, is_repeat)


def submit_many(owner: User, requests: Sequence[MailRequest]) -> list[Submission]:
    """Store messages with their deliveries and their history; each ends as `submit` would end it.

    Runs in the caller's transaction: one statement, and another where there are files. All of it
    counts as one request. Raises LimitReachedError where the owner may not submit so much,
    DatabaseError if the database cannot store.
    """
    if not requests:
        return []
    messages = [(uuid7(), request) for request in requests]
    rows = [message_row(place, id_, request) for place, (id_, request) in enumerate(messages)]
    rows_stored = STORE_MANY.run(
        {
            "owner": Int8(owner.pk),
            "messages": json.dumps(rows),
            "recipients": json.dumps(recipient_rows(messages)),
            "lifetime": Int4(LIFETIME // timedelta(seconds=1)),
            **allowance_parameters(len(requests)),
        }
    )
    limits = read_allowance(tuple(rows_stored[0][1:]), count=len(requests))
    store_files((message_id, request.attachments) for message_id, request in messages)
    transaction.on_commit(wake)
    return [
        Submission(message_id, State(row[0]), limits=limits)
        for (message_id, _), row in zip(messages, rows_stored, strict=True)
    ]


def _store(owner: User, batch: Batch) -> list[Outcome]:
    requests = [place for place in batch.places if isinstance(place, MailRequest)]
    stored = iter(submit_many(owner, requests))
    return [next(stored) if isinstance(p, MailRequest) else p for p in batch.places]


def _read_frame(reader: Reader, fields: object) -> tuple[Sequence[object], bool]:
    if not isinstance(fields, Mapping):
        reader.refuse("", "The request must be a JSON object.", "type")
        return (), False
    reader.unknown(fields, _FIELDS)
    is_atomic = fields.get("atomic", False)
    if not isinstance(is_atomic, bool):
        reader.refuse("/atomic", "This must be true or false.", "type")
    messages = fields.get("messages")
    if messages is None:
        reader.refuse("/messages", "no messages defined", "required")
    elif messages == []:
        reader.refuse("/messages", "This must have at least one message.", "blank")
    else:
        items = reader.items("/messages", messages, most=MAX_MESSAGES, what="messages")
        return [item for _, item in items], is_atomic is True
    return (), False


def _read_place(
    number: int, item: object, shelf: Shelf, token: ApiToken
) -> MailRequest | RefusedRequestError:
    try:
        return read_allowed(item, token=token, shelf=shelf)
    except RefusedRequestError as error:
        return type(error)(
            *[
                Fault(f"/messages/{number}{fault.pointer}", fault.detail, fault.code, fault.line)
                for fault in error.faults
            ]
        )


def _kept(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a key's answer keeps it."""
    if isinstance(outcome, Submission):
        return {"id": str(outcome.message_id), "state": outcome.state}
    faults = [[fault.pointer, fault.detail, fault.code, fault.line] for fault in outcome.faults]
    return {"is_impossible": isinstance(outcome, ImpossibleRequestError), "faults": faults}


def _recall(answer: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes that a key has kept."""
    return [_recalled(place) for place in answer["places"]]


def _recalled(place: Mapping[str, Any]) -> Outcome:
    if "id" in place:
        return Submission(UUID(place["id"]), State(place["state"]), is_repeat=True)
    kind = ImpossibleRequestError if place["is_impossible"] else InvalidRequestError
    return kind(*[Fault(*fault) for fault in place["faults"]])
