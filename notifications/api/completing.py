"""What drf-spectacular leaves out of the description: headers, examples, what must be there."""

from collections.abc import Iterator
from typing import Any

from notifications.api.examples import ANSWERS, OPERATIONS
from notifications.api.pages import example_of
from notifications.api.problem_kinds import KINDS
from notifications.api.problems import PROBLEM_JSON, not_submitted

_Part = dict[str, Any]

_TEXT: _Part = {"type": "string"}
_SECONDS: _Part = {"type": "integer", "minimum": 0}

_REQUEST_ID: _Part = {
    "X-Request-Id": {
        "description": "Names the request in the logs and in the request log.",
        "schema": {"type": "string", "format": "uuid"},
        "required": True,
    }
}
_RETRY_AFTER: _Part = {"Retry-After": {"description": "Seconds to wait.", "schema": _SECONDS}}
_LOCATION: _Part = {
    "Location": {
        "description": "Where it is read.",
        "schema": {"type": "string", "format": "uri"},
        "required": True,
    }
}
_REPLAYED: _Part = {
    "Idempotency-Replayed": {
        "description": "The answer is the first one's with this key.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
_CHALLENGE: _Part = {
    "WWW-Authenticate": {"description": "The scheme.", "schema": _TEXT, "required": True}
}
_LIMITS: _Part = {
    "RateLimit": {"description": "What is left of the user's limits.", "schema": _TEXT},
    "RateLimit-Policy": {"description": "The user's limits.", "schema": _TEXT},
}

_SUBMITTING = ("submit_message", "submit_batch")
_NAMING = ("create_template", "change_template")
_CHOOSING = ("cancel_message", "retry_message", "reschedule_message")


def complete(result: dict[str, Any], **_named: object) -> dict[str, Any]:
    """Complete the description (drf-spectacular's POSTPROCESSING_HOOKS)."""
    for methods in result["paths"].values():
        for operation in methods.values():
            _require_body(operation)
            for status, response in operation["responses"].items():
                _add_headers(operation, status, response)
                _add_examples(operation, status, response)
    return result


def _require_body(operation: dict[str, Any]) -> None:
    """A body that must have something must be there."""
    body = operation.get("requestBody")
    if body is not None:
        forms = [content["schema"] for content in body["content"].values()]
        body["required"] = any(form.get("required") for form in forms)


def _takes_key(operation: dict[str, Any]) -> bool:
    return any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", ()))


def _add_headers(operation: dict[str, Any], status: str, response: dict[str, Any]) -> None:
    headers = {**_REQUEST_ID}
    is_submission = operation["operationId"] in _SUBMITTING
    if status == "201" or (status == "200" and operation["operationId"] == "submit_message"):
        headers |= _LOCATION
    if status in ("200", "201") and _takes_key(operation):
        headers |= _REPLAYED
    if is_submission and status in ("200", "429"):
        headers |= _LIMITS
    if status == "401":
        headers |= _CHALLENGE
    if status in ("409", "429", "503"):
        headers |= _RETRY_AFTER
    response["headers"] = {**response.get("headers", {}), **headers}


def _add_examples(operation: dict[str, Any], status: str, response: dict[str, Any]) -> None:
    for media_type, content in response.get("content", {}).items():
        if media_type == PROBLEM_JSON:
            content["examples"] = dict(_problems(operation, int(status)))
        elif media_type == "application/json":
            content["example"] = _answer(operation, content["schema"])


def _problems(operation: dict[str, Any], status: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each kind of problem that the operation may answer with this status."""
    is_message = operation["operationId"] == "submit_message"
    for name, kind in KINDS.items():
        if status in kind.statuses and (status != 409 or name in _conflicts(operation)):
            problem = {**example_of(name, kind), "status": status}
            value = not_submitted(problem) if is_message and status < 500 else problem
            yield name, {"summary": kind.title, "value": value}


def _conflicts(operation: dict[str, Any]) -> tuple[str, ...]:
    name = operation["operationId"]
    return (
        *(("state-forbids",) if name in _CHOOSING else ()),
        *(("name-taken",) if name in _NAMING else ()),
        *(("idempotency-conflict", "idempotency-running") if _takes_key(operation) else ()),
    )


def _answer(operation: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    """The example of an answer of this form."""
    if operation["operationId"] in OPERATIONS:
        return OPERATIONS[operation["operationId"]]
    name = form["$ref"].rpartition("/")[2]
    listed = name.removeprefix("Paginated").removesuffix("List")
    if listed == name:
        return ANSWERS[name]
    return {"next": None, "previous": None, "results": [ANSWERS[listed]]}
