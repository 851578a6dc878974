"""What the OpenAPI schema says beyond what the views show by themselves."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.serializers import Serializer

from notifications.api.option_schema import OPTION_PROPERTIES
from notifications.api.problems import PROBLEM_JSON
from notifications.api.serializers import ProblemSerializer
from notifications.api.template_schema import TEMPLATE, TEMPLATE_VERSION, VARIABLES
from notifications.intake.idempotency import KEEP_HOURS, MAX_KEY_LENGTH
from notifications.intake.mail_request import MAX_RECIPIENTS
from notifications.intake.reader import MAX_HEADER_OCTETS
from notifications.models import Priority

_MAILBOX = {"type": "string", "maxLength": MAX_HEADER_OCTETS}


def _recipients(description: str) -> dict[str, Any]:
    listed = {"type": "array", "maxItems": MAX_RECIPIENTS, "items": _MAILBOX}
    return {"description": description, "oneOf": [listed, _MAILBOX]}


SUBMISSION = {
    "application/json": {
        "type": "object",
        "required": ["from"],
        "oneOf": [
            {"required": ["subject"], "anyOf": [{"required": ["message"]}, {"required": ["html"]}]},
            {"required": ["template"]},
        ],
        "additionalProperties": False,
        "properties": {
            "from": {**_MAILBOX, "description": "`address` or `name <address>`."},
            "to": _recipients("The recipients. One at least is needed in `to`, `cc` or `bcc`."),
            "cc": _recipients("Further recipients, whom all see."),
            "bcc": _recipients("Further recipients, whom nobody sees."),
            "subject": {"type": "string", "minLength": 1, "maxLength": MAX_HEADER_OCTETS},
            "message": {"type": "string", "minLength": 1, "description": "The text."},
            "priority": {
                "type": "string",
                "enum": Priority.values,
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
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
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
