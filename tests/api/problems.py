"""What every error must look like."""

import json
from typing import Any

from django.conf import settings


def problem_in(answer: Any, statuses: set[int]) -> dict[str, Any]:
    """The members of `answer`, which must be a problem of one of these statuses."""
    assert answer.status_code in statuses, answer.content
    kind = json.loads(answer.content)["type"].rpartition("/")[2]
    return problem_of(answer, answer.status_code, kind)


def problem_of(answer: Any, status: int, kind: str) -> dict[str, Any]:
    """The members of `answer`, which must be a problem (RFC 9457) of this status and kind."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    members: dict[str, Any] = json.loads(answer.content)
    assert members["type"] == f"{settings.LIMBO_BASE_URL}/docs/errors/{kind}"
    assert members["request_id"] == answer.headers["X-Request-Id"]
    assert members["status"] == status
    assert members["title"]
    assert members["detail"]
    return members
