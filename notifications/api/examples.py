"""What the description shows as answers: one message's story, by the name of the answer's form."""

from typing import Any

_AT = "2026-11-25T10:00:00.000000Z"
_LATER = "2026-11-25T10:00:00.213000Z"
_BASE = "https://mail.example.com"
_MESSAGE_ID = "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b11"
_DELIVERY_ID = "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b12"
_TEMPLATE_ID = "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b13"
_TOKEN_ID = "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b14"  # noqa: S105 - an id
_REQUEST_ID = "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b15"

_SUBMITTED = {
    "Message": "submitted",
    "id": _MESSAGE_ID,
    "state": "pending",
    "url": f"{_BASE}/v1/mail/{_MESSAGE_ID}",
}

_MESSAGE = {
    "id": _MESSAGE_ID,
    "url": f"{_BASE}/v1/mail/{_MESSAGE_ID}",
    "subject": "Hello",
    "state": "sent",
    "tags": ["welcome"],
    "test": False,
    "accepted_at": _AT,
    "send_at": None,
    "expires_at": "2026-11-26T10:00:00.000000Z",
    "from": "Ada <ada@example.com>",
}

_EVENT = {
    "seq": 3,
    "kind": "sent",
    "at": _LATER,
    "recipient": "bob@example.org",
    "applied": True,
    "data": {"provider": "relay", "reading": "sent", "code": 250, "answer": "2.0.0 OK"},
}

_ATTEMPT = {
    "provider": "relay",
    "generation": 1,
    "outcome": "accepted",
    "reading": "sent",
    "code": 250,
    "answer": "2.0.0 OK",
    "started_at": _AT,
    "ended_at": _LATER,
}

_DETAIL = {
    **_MESSAGE,
    "priority": "normal",
    "reply_to": [],
    "headers": {},
    "metadata": {"order": "17"},
    "on_uncertain": "hold",
    "provider": "",
    "failover": True,
    "template": None,
    "counts": {"sent": 1},
    "deliveries": [
        {
            "id": _DELIVERY_ID,
            "kind": "to",
            "address": "bob@example.org",
            "name": "Bob",
            "state": "sent",
            "generation": 1,
            "due_at": None,
            "finalized_at": _LATER,
            "attempts": [_ATTEMPT],
        }
    ],
    "events": [
        {
            "seq": 1,
            "kind": "accepted",
            "at": _AT,
            "recipient": None,
            "applied": True,
            "data": {},
        },
        _EVENT,
    ],
}

_TEMPLATE = {
    "id": _TEMPLATE_ID,
    "url": f"{_BASE}/v1/templates/{_TEMPLATE_ID}",
    "name": "order-shipped",
    "description": "",
    "version": 2,
    "created_at": _AT,
    "updated_at": _LATER,
}

_TOKEN = {
    "id": _TOKEN_ID,
    "url": f"{_BASE}/v1/tokens/{_TOKEN_ID}",
    "name": "shop",
    "prefix": "lk_1a2b3c4d",
    "scopes": ["send"],
    "test": False,
    "allowed_senders": ["shop.example.com"],
    "allowed_networks": ["192.0.2.0/24"],
    "created_at": _AT,
    "expires_at": "2027-05-03T08:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}

ANSWERS: dict[str, dict[str, Any]] = {
    "Submitted": _SUBMITTED,
    "Message": _MESSAGE,
    "MessageDetail": _DETAIL,
    "Event": _EVENT,
    "Feed": {
        "results": [{**_EVENT, "message_id": _MESSAGE_ID, "delivery_id": _DELIVERY_ID}],
        "cursor": "e2a",
        "next": f"{_BASE}/v1/events?cursor=e2a",
        "has_more": False,
    },
    "Content": {
        "text": "It works.",
        "html": "<p>It works.</p>",
        "attachments": [
            {"name": "bill.pdf", "type": "application/pdf", "content_id": "", "size": 48213}
        ],
    },
    "Stats": {
        "after": "2026-11-24T10:00:00Z",
        "before": "2026-11-25T10:00:00Z",
        "counts": {"accepted": 2, "sent": 2},
        "providers": [{"provider": "relay", "counts": {"sending": 2, "sent": 2}}],
        "tags": [{"tag": "welcome", "counts": {"accepted": 2, "sent": 2}}],
        "is_complete": True,
    },
    "Request": {
        "at": _AT,
        "request_id": _REQUEST_ID,
        "method": "POST",
        "path": "/v1/mail",
        "status": 200,
        "address": "192.0.2.7",
        "duration_ms": 4,
        "message_id": _MESSAGE_ID,
        "token_id": _TOKEN_ID,
    },
    "Template": _TEMPLATE,
    "TemplateDetail": {
        **_TEMPLATE,
        "current_version": 2,
        "subject": "Order {{ order.number }} is on its way",
        "text": "Dear {{ name }},",
        "html": "<p>Dear {{ name }},</p>",
    },
    "Version": {
        "version": 2,
        "subject": "Order {{ order.number }} is on its way",
        "created_at": _LATER,
    },
    "Preview": {
        "version": 2,
        "subject": "Order 7 is on its way",
        "text": "Dear Ada,",
        "html": "<p>Dear Ada,</p>",
    },
    "Token": _TOKEN,
    "NewToken": {**_TOKEN, "token": "lk_1a2b3c4dXbq0v9cYwqk1TtVbX6u3mJp2eRf5sGh8aLn"},
}
"""By the name of the form's component."""

OPERATIONS: dict[str, dict[str, Any]] = {
    "hello": {"hello": "world"},
    "health": {"health": "ok"},
    "metrics": {"metrics": "ok"},
    "ready": {"ready": "ok"},
    "submit_batch": {
        "stored": 1,
        "refused": 1,
        "results": [
            {"status": 200, **_SUBMITTED},
            {
                "Message": "not submitted",
                "Problem": "An email address must have an @-sign.",
                "type": f"{_BASE}/docs/errors/impossible-request",
                "title": "The request cannot be met",
                "status": 422,
                "detail": "An email address must have an @-sign.",
                "errors": [
                    {
                        "detail": "An email address must have an @-sign.",
                        "pointer": "#/messages/1/to",
                        "code": "address",
                    }
                ],
            },
        ],
    },
}
"""By the operation's id, where the form has no name."""
