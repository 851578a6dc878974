"""One id for each request: in the answer's header, in its problem, in the logs and the request log.

Limbo gives it, whatever the client or a proxy has sent: an id that others choose may be used twice,
or be an attempt to write into the logs.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from uuid_utils.compat import uuid7

HEADER = "X-Request-Id"

_current: ContextVar[UUID | None] = ContextVar("request_id", default=None)


def current_request_id() -> UUID | None:
    """The id of the request that this thread answers; None where it answers none."""
    return _current.get()


class RequestIdMiddleware:
    """Give each request its id, outside of all other middleware, so that no answer lacks it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the id in a header."""
        request_id = uuid7()
        token = _current.set(request_id)
        try:
            response = self._get_response(request)
        finally:
            _current.reset(token)
        response.headers[HEADER] = str(request_id)
        return response


class RequestIdFilter(logging.Filter):
    """Let every record through, with `request_mark`: its request's id in brackets, or nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark the record."""
        request_id = _current.get()
        record.request_mark = f" [{request_id}]" if request_id else ""
        return True
