"""What the OpenAPI schema says of batches."""

from typing import Any

from notifications.api.schema import SUBMISSION
from notifications.intake.batch import MAX_MESSAGES
from notifications.models import State

_MESSAGE: dict[str, Any] = SUBMISSION["application/json"]

BATCH = {
    "application/json": {
        "type": "object",
        "required": ["messages"],
        "additionalProperties": False,
        "properties": {
            "messages": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_MESSAGES,
                # whatever breaks the rules of a message is refused in its place
                "items": {
                    "description": "A message as `POST /v1/mail` takes it.",
                    "example": _MESSAGE["example"],
                },
            },
            "atomic": {
                "type": "boolean",
                "default": False,
                "description": "All of the messages are stored, or none.",
            },
        },
        "example": {"messages": [_MESSAGE["example"]], "atomic": True},
    }
}

_STORED = {
    "type": "object",
    "required": ["status", "Message", "id", "state", "url"],
    "properties": {
        "status": {"const": 200},
        "Message": {"const": "submitted"},
        "id": {"type": "string", "format": "uuid"},
        "state": {"type": "string", "enum": State.values},
        "url": {"type": "string", "format": "uri"},
    },
}

_REFUSED = {
    "type": "object",
    "description": "A problem (RFC 9457), with the two members of a single submission's.",
    "required": ["Message", "Problem", "type", "title", "status", "detail", "errors"],
    "properties": {
        "Message": {"const": "not submitted"},
        "Problem": {"type": "string"},
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "enum": [400, 422]},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail", "pointer", "code"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "`#/messages/3/to/0`."},
                    "code": {"type": "string"},
                    "line": {"type": "integer"},
                },
            },
        },
        "request_id": {"type": "string", "format": "uuid"},
    },
}

BATCH_ANSWER = {
    "type": "object",
    "required": ["stored", "refused", "results"],
    "properties": {
        "stored": {"type": "integer", "description": "How many messages are stored."},
        "refused": {"type": "integer", "description": "How many are not."},
        "results": {
            "type": "array",
            "description": "One for each message, in the order of the request.",
            "items": {"oneOf": [_STORED, _REFUSED]},
        },
    },
}
