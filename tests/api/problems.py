"""What every error must look like."""

import json
from typing import Any


def problem_of(answer: Any, status: int, kind: str) -> dict[str, Any]:
    """The members of `answer`, which must be a problem (RFC 9457) of this status and kind."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    members: dict[str, Any] = json.loads(answer.content)
    assert members["type"] == f"urn:limbo:problem:{kind}"
    assert members["status"] == status
    assert members["title"]
    assert members["detail"]
    return members
