"""What the OpenAPI schema says of requests about tokens."""

from notifications.api.option_schema import FILLED_LINE
from notifications.intake.token_requests import MAX_LIMITS, MAX_NAME, MAX_SENDER
from notifications.intake.tokens import USUAL_SCOPES
from notifications.models import Scope

NEW_TOKEN = {
    "application/json": {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {
                **FILLED_LINE,
                "maxLength": MAX_NAME,
                "description": "What it is for.",
            },
            "scopes": {
                "type": ["array", "null"],
                "uniqueItems": True,
                "items": {"type": "string", "enum": Scope.values},
                "default": list(USUAL_SCOPES),
                "description": "What it may do; no more than the token that asks for it.",
            },
            "expires_at": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When it ends: ISO 8601 with an offset. Without: with the token "
                "that asks for it, or when it is revoked.",
            },
            "allowed_senders": {
                "type": ["array", "null"],
                "uniqueItems": True,
                "maxItems": MAX_LIMITS,
                "items": {**FILLED_LINE, "maxLength": MAX_SENDER},
                "description": "The addresses and domains that it may send from.",
            },
            "allowed_networks": {
                "type": ["array", "null"],
                "uniqueItems": True,
                "maxItems": MAX_LIMITS,
                "items": FILLED_LINE,
                "description": "The networks (CIDR) that it may be used from.",
            },
            "test": {
                "type": ["boolean", "null"],
                "description": "Whether what it submits goes to the sandbox and to nobody else. "
                "Without: as with the token that asks for it.",
            },
        },
        "example": {
            "name": "shop",
            "scopes": ["send"],
            "expires_at": "2027-05-03T10:00:00+02:00",
            "allowed_senders": ["shop.example.com"],
            "allowed_networks": ["192.0.2.0/24"],
        },
    }
}
