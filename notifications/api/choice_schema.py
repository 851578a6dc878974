"""The bodies of cancel, retry and reschedule, for the OpenAPI schema."""

from typing import Any

from notifications.api.option_schema import TIME


def _body(properties: dict[str, Any], *required: str, **example: Any) -> dict[str, Any]:
    form = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "example": example,
    }
    return {"application/json": {**form, "required": list(required)} if required else form}


CANCEL = _body({})

RETRY = _body(
    {
        "uncertain": {
            "type": "boolean",
            "default": False,
            "description": "Send again also what is `uncertain`: a second copy may arrive.",
        }
    },
    uncertain=False,
)

RESCHEDULE = _body(
    {
        "send_at": {**TIME, "description": "The new time: to come, and within 90 days."},
        "expires_at": {
            **TIME,
            "type": ["string", "null"],
            "description": "The new deadline; if not given it keeps its distance.",
        },
    },
    "send_at",
    send_at="2026-05-03T10:00:00+02:00",
)
