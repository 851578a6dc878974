"""From an answer that tells of a problem to the exception that it is."""

from collections.abc import Mapping
from typing import Any

from limbo_client.answers import Answer
from limbo_client.errors import (
    ApiError,
    ConflictError,
    Fault,
    ForbiddenError,
    IdempotencyConflictError,
    ImpossibleRequestError,
    InvalidRequestError,
    NameTakenError,
    NotFoundError,
    ServerError,
    TooLargeError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)

_BY_KIND: Mapping[str, type[ApiError]] = {
    "idempotency-conflict": IdempotencyConflictError,
    "name-taken": NameTakenError,
}

_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: ImpossibleRequestError,
    429: TooManyRequestsError,
    503: UnavailableError,
}


def problem_of(answer: Answer) -> ApiError:
    """The exception for an answer that is no success, Limbo's own or a proxy's."""
    members = _members(answer)
    type_ = _text(members, "type")
    error = _class_of(type_.rpartition("/")[2], answer.status)
    return error(
        _text(members, "detail") or f"The answer was {answer.status} {answer.reason}.".rstrip(),
        status=answer.status,
        type=type_,
        title=_text(members, "title"),
        errors=_faults(members.get("errors")),
        request_id=_text(members, "request_id") or answer.headers.get("x-request-id", ""),
        retry_after=answer.retry_after,
    )


def _class_of(kind: str, status: int) -> type[ApiError]:
    if found := _BY_KIND.get(kind) or _BY_STATUS.get(status):
        return found
    if status >= 500:
        return ServerError
    return InvalidRequestError if 400 <= status < 500 else ApiError


def _members(answer: Answer) -> Mapping[str, Any]:
    """The problem's members; none where the answer is no JSON object, as a proxy's page."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _faults(errors: object) -> tuple[Fault, ...]:
    listed = errors if isinstance(errors, list) else []
    return tuple(_fault(members) for members in listed if isinstance(members, dict))


def _fault(members: Mapping[str, Any]) -> Fault:
    line = members.get("line")
    return Fault(
        detail=_text(members, "detail"),
        code=_text(members, "code"),
        pointer=_text(members, "pointer"),
        parameter=_text(members, "parameter"),
        line=line if isinstance(line, int) else None,
    )
