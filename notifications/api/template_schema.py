"""What the OpenAPI schema says of requests about templates."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from notifications.api.option_schema import FILLED_LINE, LINE
from notifications.intake.templates.drafts import (
    MAX_BODY_SOURCE,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_SUBJECT_SOURCE,
    NAME_FORM,
)
from notifications.intake.templates.preview import MAX_NUMBER
from notifications.intake.templates.variables import MAX_DEPTH, MAX_ITEMS, MAX_OCTETS

REFERENCE = OpenApiParameter(
    "template", str, OpenApiParameter.PATH, description="The template's id or name."
)

_NUMBER = {"type": "integer", "minimum": 1, "maximum": MAX_NUMBER}

VERSION = OpenApiParameter(
    "version", _NUMBER, description="An earlier version; the current one unless given."
)

TEMPLATE = {
    **FILLED_LINE,
    "type": ["string", "null"],
    "description": "A template's id or name: subject and bodies are made from it, not given.",
}
TEMPLATE_VERSION = {
    **_NUMBER,
    "type": ["integer", "null"],
    "description": "An earlier version of the template; the current one unless given.",
}

VARIABLES: dict[str, Any] = {
    "type": ["object", "null"],
    "maxProperties": MAX_ITEMS,
    "additionalProperties": True,
    "description": f"What the template's variables stand for: any JSON, up to {MAX_OCTETS} octets "
    f"together, {MAX_ITEMS} items a list or object, nested up to {MAX_DEPTH} deep.",
}

_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_NAME,
    "pattern": f"^{NAME_FORM}$",
    "description": "What the template is sent by; yours once.",
}
_DESCRIPTION = {**LINE, "maxLength": MAX_DESCRIPTION}
_SUBJECT = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_SUBJECT_SOURCE,
    "pattern": r"\S",
    "description": "The subject's source. Line breaks and runs of spaces become single spaces.",
}
_TEXT = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_BODY_SOURCE,
    "pattern": r"\S",
    "description": "The text's source; without one, the text is made of the HTML.",
}
_HTML = {**_TEXT, "description": "The HTML's source; variables are escaped in it."}

_EXAMPLE = {
    "name": "order-shipped",
    "subject": "Order {{ order.number }} is on its way",
    "text": "Dear {{ name }},\n\n{% for line in order.lines %}- {{ line.title }}\n{% endfor %}",
    "html": "<p>Dear {{ name }},</p>"
    "<ul>{% for line in order.lines %}<li>{{ line.title }}</li>{% endfor %}</ul>",
}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


NEW_TEMPLATE = {
    "application/json": {
        "type": "object",
        "required": ["name", "subject"],
        "anyOf": [{"required": ["text"]}, {"required": ["html"]}],
        "additionalProperties": False,
        "properties": {
            "name": _NAME,
            "description": _DESCRIPTION,
            "subject": _SUBJECT,
            "text": _TEXT,
            "html": _HTML,
        },
        "example": _EXAMPLE,
    }
}

CHANGES = {
    "application/json": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": _NAME,
            "description": _or_null(_DESCRIPTION),
            "subject": _SUBJECT,
            "text": _or_null(_TEXT),
            "html": _or_null(_HTML),
        },
        "example": {"subject": "Your order {{ order.number }} is on its way"},
    }
}

PREVIEW = {
    "application/json": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "variables": VARIABLES,
            "version": {**_NUMBER, "type": ["integer", "null"]},
        },
        "example": {"variables": {"name": "Ada", "order": {"number": 7, "lines": []}}},
    }
}
