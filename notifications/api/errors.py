"""Which problem an exception is; views raise, and this module answers."""

import logging
from collections.abc import Mapping
from typing import Any

import psycopg
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from notifications.api.problems import Problem
from notifications.api.rate_limit import limit_headers, never_possible, told_of
from notifications.intake.allowance import REQUESTS, LimitReachedError
from notifications.intake.errors import (
    Fault,
    IdempotencyConflictError,
    ImpossibleRequestError,
    NameTakenError,
    RefusedRequestError,
    StillRunningError,
)
from notifications.queue.owner_choices import IllegalChoiceError

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5

RUNNING_SECONDS = 1
"""A request that is running has its answer soon."""


class TooLargeError(exceptions.APIException):
    """The body is larger than Limbo takes."""

    status_code = 413


class LengthRequiredError(exceptions.APIException):
    """The body comes without its length, as a WSGI application cannot read it."""

    status_code = 411


def handle_exception(error: Exception, _context: Mapping[str, Any]) -> Response:
    """Answer `error` (django-rest-framework's EXCEPTION_HANDLER): always, and as a problem."""
    return problem_for(error).response()


def problem_for(error: Exception) -> Problem:
    """The problem that `error` is; one that nobody foresaw is logged and tells nothing."""
    match error:
        case RefusedRequestError():
            return _refused(error)
        case (
            IdempotencyConflictError()
            | IllegalChoiceError()
            | NameTakenError()
            | StillRunningError()
        ):
            return _conflict(error)
        case LimitReachedError():
            return _limited(error)
        case exceptions.ValidationError():
            return _invalid_parameters(error)
        case Http404():
            return Problem.of_status(404, "There is no such resource.")
        case PermissionDenied():
            return Problem.of_status(403, "This is not allowed.")
        case exceptions.APIException():
            return _api_problem(error)
        case SuspiciousOperation() | UnreadablePostError():
            return Problem.of_status(400, "The request could not be read.")
        case DatabaseError() | InterfaceError() if _is_away(error):
            return _unavailable(error)
    logger.error("A request failed", exc_info=error)
    return Problem(500, "internal-error", "This is our fault, and was written down.")


def _conflict(
    error: IdempotencyConflictError | IllegalChoiceError | NameTakenError | StillRunningError,
) -> Problem:
    match error:
        case StillRunningError():
            return _still_running()
        case IllegalChoiceError():
            return Problem(409, "state-forbids", str(error))
        case NameTakenError():
            return Problem(409, "name-taken", f"You have another template called {error}.")
    detail = "Use a new key for a new request, and the same request for the same key."
    return Problem(409, "idempotency-conflict", detail)


def _limited(error: LimitReachedError) -> Problem:
    if not error.is_ever_possible:
        return _refused(never_possible(error))
    kind = "rate-limited" if error.reached.name == REQUESTS else "quota-used-up"
    headers = {"Retry-After": str(error.retry_after), **limit_headers(error.buckets)}
    return Problem(429, kind, told_of(error), headers=headers)


def _still_running() -> Problem:
    detail = "The first request with this Idempotency-Key is still running; its answer comes soon."
    headers = {"Retry-After": str(RUNNING_SECONDS)}
    return Problem(409, "idempotency-running", detail, headers=headers)


def _refused(error: RefusedRequestError) -> Problem:
    """The problem; of a request that is one of many, `errors` tells where it stands."""
    is_impossible = isinstance(error, ImpossibleRequestError)
    status, kind = (422, "impossible-request") if is_impossible else (400, "invalid-request")
    errors = [_fault_members(fault) for fault in error.faults]
    return Problem(status, kind, error.faults[0].detail, errors)


def _fault_members(fault: Fault) -> dict[str, str | int]:
    # RFC 9457 (3) writes the pointer as a URI fragment
    members: dict[str, str | int] = {
        "detail": fault.detail,
        "pointer": f"#{fault.pointer}",
        "code": fault.code,
    }
    return members if fault.line is None else {**members, "line": fault.line}


def _invalid_parameters(error: exceptions.ValidationError) -> Problem:
    """Only query parameters are checked by serializers and filters; bodies are intake's."""
    details = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    errors = [
        {"detail": str(item), "parameter": str(name), "code": getattr(item, "code", "invalid")}
        for name, items in details.items()
        for item in items
    ]
    kind = "impossible-request" if error.status_code == 422 else "invalid-request"
    return Problem(error.status_code, kind, errors[0]["detail"], errors)


def _api_problem(error: exceptions.APIException) -> Problem:
    problem = Problem.of_status(error.status_code, str(error.detail))
    challenge = getattr(error, "auth_header", None)
    if challenge is None:
        return problem
    headers = {"WWW-Authenticate": str(challenge)}
    return Problem(problem.status, problem.kind, problem.detail, headers=headers)


def _is_away(error: DatabaseError | InterfaceError) -> bool:
    """Whether the database cannot work now: away, overloaded, full, or read-only."""
    read_only = isinstance(error.__cause__, psycopg.errors.ReadOnlySqlTransaction)
    return read_only or isinstance(error, OperationalError | InterfaceError)


def _unavailable(error: Exception) -> Problem:
    logger.error("The database cannot serve a request: %s", error)
    detail = (
        "The database does not take requests now. "
        "A submission that is repeated with the same Idempotency-Key is stored once."
    )
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem(503, "unavailable", detail, headers=headers)
