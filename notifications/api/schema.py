"""What the OpenAPI schema says beyond what the views show by themselves."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.serializers import Serializer

from notifications.api.option_schema import LINE, MAILBOX, OPTION_PROPERTIES
from notifications.api.problems import PROBLEM_JSON
from notifications.api.serializers import ProblemSerializer
from notifications.api.template_schema import TEMPLATE, TEMPLATE_VERSION, VARIABLES
from notifications.intake.idempotency import KEEP_HOURS, MAX_KEY_LENGTH
from notifications.intake.mail_request import MAX_RECIPIENTS, RECIPIENT_FIELDS
from notifications.intake.reader import MAX_BODY_CHARACTERS
from notifications.models import Priority

_NULL = {"type": "null"}
_BLANK = {"type": ["string", "null"], "pattern": r"^\s*$"}
_FILLED = {"type": "string", "pattern": r"\S"}


def _recipients(description: str) -> dict[str, Any]:
    listed = {"type": "array", "maxItems": MAX_RECIPIENTS, "items": MAILBOX}
    # empty stands for missing
    return {"description": description, "oneOf": [listed, LINE, _NULL]}


def _somebody(field: str) -> dict[str, Any]:
    named = {"oneOf": [_FILLED, {"type": "array", "minItems": 1}]}
    return {"required": [field], "properties": {field: named}}


_TEMPLATED = {
    "required": ["template"],
    "properties": {
        "template": {"type": "string"},
        **dict.fromkeys(("subject", "message", "html"), _BLANK),
    },
}
_WORDED = {
    "required": ["subject"],
    "properties": {
        "subject": _FILLED,
        **dict.fromkeys(("template", "template_version", "variables"), _NULL),
    },
    "anyOf": [{"required": [body], "properties": {body: _FILLED}} for body in ("message", "html")],
}
_ROUTED = {
    "anyOf": [
        {"properties": {"failover": {"enum": [True, None]}}},
        {"required": ["provider"], "properties": {"provider": {"type": "string"}}},
    ]
}

SUBMISSION = {
    "application/json": {
        "type": "object",
        "required": ["from"],
        "allOf": [
            {"anyOf": [_WORDED, _TEMPLATED]},
            {"anyOf": [_somebody(field) for field in RECIPIENT_FIELDS]},
            _ROUTED,
        ],
        "additionalProperties": False,
        "properties": {
            "from": {**MAILBOX, "description": "`address` or `name <address>`."},
            "to": _recipients("The recipients. One at least is needed in `to`, `cc` or `bcc`."),
            "cc": _recipients("Further recipients, whom all see."),
            "bcc": _recipients("Further recipients, whom nobody sees."),
            "subject": {**LINE, "type": ["string", "null"]},
            "message": {
                "type": ["string", "null"],
                "maxLength": MAX_BODY_CHARACTERS,
                "description": "The text.",
            },
            "priority": {
                "type": ["string", "null"],
                "enum": [*Priority.values, None],
                "default": Priority.NORMAL.value,
                "description": "Urgent messages go ahead of normal ones, and these of bulk.",
            },
            **OPTION_PROPERTIES,
            "template": TEMPLATE,
            "template_version": TEMPLATE_VERSION,
            "variables": VARIABLES,
        },
        "example": {
            "from": "Ada <ada@example.com>",
            "to": ["Bob <bob@example.org>"],
            "subject": "Hello",
            "message": "It works.",
        },
    }
}

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_LENGTH,
        # HTTP takes spaces off both ends
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
    OpenApiParameter.HEADER,
    description=f"A repeat with the same key within {KEEP_HOURS} hours gets the first one's "
    "answer, and nothing is done again; another request with it is refused (409).",
)

_MEANINGS = {
    400: "The request is not valid; `errors` names every fault.",
    401: "There is no token, or it is not valid.",
    403: "The token lacks the scope.",
    404: "There is no such resource, or it is another user's.",
    409: "It contradicts what is there: the message's state forbids it, or the name, or the "
    "Idempotency-Key, is taken.",
    411: "The request does not say how long it is.",
    413: "The request is too large.",
    415: "The content type is not `application/json`.",
    422: "It is well formed, but not possible now; `errors` says why.",
    429: "A limit of the user's is reached; try again after `Retry-After` seconds.",
    503: "The database is away; try again after `Retry-After` seconds.",
}


def problems(
    *statuses: int, form: type[Serializer[object]] = ProblemSerializer
) -> dict[tuple[int, str], OpenApiResponse]:
    """The error answers of an operation, for `extend_schema`."""
    return {
        (status, PROBLEM_JSON): OpenApiResponse(
            form if status < 500 else ProblemSerializer, description=_MEANINGS[status]
        )
        for status in statuses
    }


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a request shows its token."""

    target_class = "notifications.api.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """An HTTP bearer token."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "lk_…",
            "description": "`Authorization: Bearer lk_…`; `Token lk_…` is read too.",
        }
