"""The further fields of a submission, for the OpenAPI schema; in all of them null is as nothing."""

from typing import Any

from notifications.intake.options import attachments, headers, labels
from notifications.intake.options.reply_to import MAX_REPLY_TO
from notifications.intake.options.times import FURTHEST, LONGEST_LIFETIME
from notifications.intake.reader import CONTROLS, MAX_BODY_CHARACTERS, MAX_HEADER_OCTETS
from notifications.models import OnUncertain

TIME: dict[str, Any] = {
    "type": "string",
    "format": "date-time",
    "example": "2026-05-03T10:00:00+02:00",
}
"""A moment in ISO 8601 (RFC 3339), with its offset."""

LINE: dict[str, Any] = {
    "type": "string",
    "maxLength": MAX_HEADER_OCTETS,
    "pattern": f"^[^{CONTROLS}]*$",
}
"""What gets into a header; its length is counted in octets of UTF-8."""

FILLED_LINE: dict[str, Any] = {
    **LINE,
    "minLength": 1,
    "pattern": rf"^[^{CONTROLS}]*[^{CONTROLS}\s][^{CONTROLS}]*$",
}

MAILBOX = FILLED_LINE
"""What is no address in this form is refused by 422."""

_FILE: dict[str, Any] = {
    "type": "object",
    "required": ["name", "type", "content"],
    "additionalProperties": False,
    "properties": {
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": attachments.MAX_NAME_OCTETS,
            "pattern": rf"^[^{CONTROLS}/\\]*[^{CONTROLS}/\\\s][^{CONTROLS}/\\]*$",
        },
        "type": {
            "type": "string",
            "pattern": f"^{attachments.TYPE_PATTERN}$",
            "description": "Its media type, neither multipart nor a message.",
            "example": "application/pdf",
        },
        "content": {
            "type": "string",
            "minLength": 1,
            "contentEncoding": "base64",
            "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
            "description": "In base64 (RFC 4648), without line breaks.",
        },
        "content_id": {
            "type": ["string", "null"],
            "pattern": f"^{attachments.CONTENT_ID_PATTERN}$",
            "description": "For an image that the HTML shows by `cid:` and this.",
        },
    },
}

OPTION_PROPERTIES: dict[str, Any] = {
    "html": {
        "type": ["string", "null"],
        "minLength": 1,
        "maxLength": MAX_BODY_CHARACTERS,
        "pattern": r"\S",
        "description": "The body in HTML, with `message` or alone: then a text is made of it.",
    },
    "reply_to": {
        "description": "Where answers go.",
        "oneOf": [
            {"type": "array", "maxItems": MAX_REPLY_TO, "items": MAILBOX},
            MAILBOX,
            {"type": "null"},
        ],
    },
    "headers": {
        "type": ["object", "null"],
        "maxProperties": headers.MAX_HEADERS,
        "propertyNames": {"pattern": f"^{headers.NAME_PATTERN}$"},
        "additionalProperties": FILLED_LINE,
        "description": "Further headers, but for those that Limbo or a provider answers for.",
    },
    "attachments": {
        "type": ["array", "null"],
        "maxItems": attachments.MAX_FILES,
        "items": _FILE,
        "description": "Files; how much they may have together is an operator's setting (10 MB).",
    },
    "tags": {
        "type": ["array", "null"],
        "maxItems": labels.MAX_TAGS,
        "items": {"type": "string", "pattern": f"^{labels.TAG_PATTERN}$"},
        "description": "What to find and count the message by.",
    },
    "metadata": {
        "type": ["object", "null"],
        "maxProperties": labels.MAX_METADATA,
        "propertyNames": {"pattern": f"^(?!{labels.RESERVED_PREFIX}){labels.KEY_PATTERN}$"},
        "additionalProperties": {**LINE, "maxLength": labels.MAX_VALUE_CHARACTERS},
        "description": "The caller's own keys and values.",
    },
    "send_at": {
        **TIME,
        "type": ["string", "null"],
        "description": f"Not before; to come, and within {FURTHEST.days} days.",
    },
    "expires_at": {
        **TIME,
        "type": ["string", "null"],
        "description": "The deadline: after `send_at`, and within "
        f"{LONGEST_LIFETIME.days} days of it; 24 hours if not given.",
    },
    "on_uncertain": {
        "type": ["string", "null"],
        "enum": [*OnUncertain.values, None],
        "default": OnUncertain.HOLD.value,
        "description": "What to do when nobody knows whether a provider took it: hold it for a "
        "person, or send it again once, at the risk of a second copy.",
    },
    "provider": {
        "type": ["string", "null"],
        "description": "The provider that is asked first.",
    },
    "failover": {
        "type": ["boolean", "null"],
        "default": True,
        "description": "Whether others are asked after `provider`.",
    },
}
