"""Problem details (RFC 9457): the one form of every error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import JsonResponse
from django.urls import reverse
from rest_framework.response import Response

from notifications.api.problem_kinds import KINDS
from notifications.request_id import current_request_id

PROBLEM_JSON = "application/problem+json"

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
    """One of `KINDS`."""
    detail: str
    errors: Sequence[Mapping[str, str | int]] = ()
    """Every fault: `detail`, `code`, and `pointer` (body) or `parameter` (query)."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_status(cls, status: int, detail: str) -> "Problem":
        """The problem that an HTTP status stands for by itself."""
        kind = _KIND_OF_STATUS.get(HTTPStatus(status), "malformed-request")
        return cls(status, kind, detail)

    def body(self) -> dict[str, Any]:
        """The members of the problem details object, `request_id` while there is a request."""
        members: dict[str, Any] = {
            "type": type_of(self.kind),
            "title": KINDS[self.kind].title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            members["errors"] = list(self.errors)
        if request_id := current_request_id():
            members["request_id"] = str(request_id)
        return members

    def response(self) -> Response:
        """The answer of an API view."""
        return Response(self.body(), self.status, headers=self.headers, content_type=PROBLEM_JSON)

    def plain_response(self) -> JsonResponse:
        """The answer where no API view is at work."""
        return JsonResponse(
            self.body(), status=self.status, headers=self.headers, content_type=PROBLEM_JSON
        )


def not_submitted(problem: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a message that is refused: the problem, and the words of older clients."""
    return {"Message": "not submitted", "Problem": problem["detail"], **problem}


def type_of(kind: str) -> str:
    """A kind's `type`: the address of its page."""
    base_url: str = settings.LIMBO_BASE_URL
    return base_url.rstrip("/") + reverse("api:problem", args=[kind])
