"""Problem details (RFC 9457): the one form of every error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from rest_framework.response import Response

PROBLEM_JSON = "application/problem+json"

_TYPE = "urn:limbo:problem:"

TITLES = {
    "invalid-request": "The request is not valid",
    "malformed-request": "The request cannot be read",
    "unauthenticated": "A valid token is needed",
    "forbidden": "The token may not do this",
    "not-found": "There is nothing here",
    "method-not-allowed": "The method is not allowed here",
    "not-acceptable": "No form of the answer is acceptable",
    "idempotency-conflict": "The Idempotency-Key was used for another request",
    "length-required": "The request does not say how long it is",
    "too-large": "The request is too large",
    "unsupported-media-type": "The content type is not supported",
    "internal-error": "Limbo failed",
    "unavailable": "Limbo cannot do this now",
}
"""Every kind of problem; what follows `urn:limbo:problem:` in `type`, and its title."""

_KIND_OF_STATUS = {
    HTTPStatus.BAD_REQUEST: "malformed-request",
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.NOT_ACCEPTABLE: "not-acceptable",
    HTTPStatus.LENGTH_REQUIRED: "length-required",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too-large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported-media-type",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One error as the caller sees it."""

    status: int
    kind: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    """Every fault: `detail`, `code`, and `pointer` (body) or `parameter` (query)."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_status(cls, status: int, detail: str) -> "Problem":
        """The problem that an HTTP status stands for by itself."""
        kind = _KIND_OF_STATUS.get(HTTPStatus(status), "malformed-request")
        return cls(status, kind, detail)

    def body(self) -> dict[str, Any]:
        """The members of the problem details object."""
        members: dict[str, Any] = {
            "type": f"{_TYPE}{self.kind}",
            "title": TITLES[self.kind],
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = list(self.errors)
        return members

    def response(self) -> Response:
        """The answer of an API view."""
        return Response(self.body(), self.status, headers=self.headers, content_type=PROBLEM_JSON)

    def plain_response(self) -> JsonResponse:
        """The answer where no API view is at work."""
        return JsonResponse(
            self.body(), status=self.status, headers=self.headers, content_type=PROBLEM_JSON
        )
