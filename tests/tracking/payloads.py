"""What providers really post: the formats of Postmark's and Mailgun's documentation."""

import hashlib
import hmac
import json
import secrets
import time
from base64 import b64encode
from typing import Any, Protocol

from django.test import Client

from notifications.models.ids import AnyId

SECRET = "tracker:only-for-tests"
SIGNING_KEY = "key-of-mailgun-only-for-tests"

POSTMARK_ID = "883953f4-6105-42a2-a16a-77a8eac79483"


class Answered(Protocol):
    """What the test client answers, as far as these tests ask."""

    status_code: int


def post_postmark(payload: dict[str, Any], *, secret: str | None = SECRET) -> Answered:
    """Post a report as Postmark does, with basic authentication in its URL."""
    return _post("postmark", payload, secret)


def _post(esp: str, payload: dict[str, Any], secret: str | None, **headers: str) -> Answered:
    if secret is not None:
        headers["authorization"] = "Basic " + b64encode(secret.encode()).decode()
    return Client().post(
        f"/anymail/{esp}/tracking/",
        json.dumps(payload),
        content_type="application/json",
        headers=headers,
    )


def postmark(record: str, recipient: str, *, handoff: AnyId | None = None, **more: Any) -> Any:
    """A report of Postmark's; its recipient is called differently in bounces and deliveries."""
    known: dict[str, dict[str, Any]] = {
        "Delivery": {
            "Recipient": recipient,
            "DeliveredAt": "2026-11-24T10:02:11Z",
            "Details": "250 2.0.0 OK",
        },
        "Bounce": {
            "ID": 42,
            "Type": "HardBounce",
            "TypeCode": 1,
            "Name": "Hard bounce",
            "Description": "The server was unable to deliver your message.",
            "Details": "smtp;550 5.1.1 The email account does not exist.",
            "Email": recipient,
            "From": "billing@shop.example",
            "BouncedAt": "2026-11-24T10:02:12Z",
            "DumpAvailable": True,
            "Inactive": True,
            "CanActivate": True,
        },
        "SpamComplaint": {
            "ID": 43,
            "Type": "SpamComplaint",
            "TypeCode": 512,
            "Details": "Test spam complaint details",
            "Email": recipient,
            "BouncedAt": "2026-11-24T10:02:13Z",
        },
        "Open": {"Recipient": recipient, "ReceivedAt": "2026-11-24T10:02:14Z", "FirstOpen": True},
    }
    return {
        "RecordType": record,
        "MessageStream": "outbound",
        "ServerID": 23,
        "MessageID": POSTMARK_ID,
        "Tag": "",
        "Metadata": {} if handoff is None else {"limbo_handoff": str(handoff)},
        **known[record],
        **more,
    }


AMAZON_SES_ID = "0102018f-2c3d-4b5a-9e8f-1a2b3c4d5e6f-000000"


def post_amazon_ses(report: dict[str, Any], *, secret: str | None = SECRET) -> Answered:
    """Post a report as Amazon's notification service does."""
    notification_id = "3f1b5e0c-0f3a-5f8e-8f3e-0a1b2c3d4e5f"
    notification = {
        "Type": "Notification",
        "MessageId": notification_id,
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:reports",
        "Timestamp": "2026-11-24T10:02:11.123Z",
        "Message": json.dumps(report),
    }
    more = {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": notification_id}
    return _post("amazon_ses", notification, secret, **more)


def amazon_ses(kind: str, recipient: str, *, handoff: AnyId | None = None, **more: Any) -> Any:
    """A report of Amazon SES's, with the original headers."""
    metadata = json.dumps({"limbo_handoff": str(handoff)})
    return {
        "eventType": kind,
        "mail": {
            "messageId": AMAZON_SES_ID,
            "destination": [recipient],
            "headers": [{"name": "X-Metadata", "value": metadata}] if handoff else [],
        },
        kind.lower(): {"recipients": [recipient], "smtpResponse": "250 2.0.0 OK", **more},
    }


def post_mailgun(
    event: dict[str, Any], *, key: str = SIGNING_KEY, secret: str | None = SECRET
) -> Answered:
    """Post a report as Mailgun does, signed afresh, with basic authentication in its URL."""
    timestamp, token = str(int(time.time())), secrets.token_hex(25)
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256)
    payload = {
        "signature": {
            "timestamp": timestamp,
            "token": token,
            "signature": signature.hexdigest(),
        },
        "event-data": event,
    }
    return _post("mailgun", payload, secret)


def mailgun(event: str, recipient: str, *, handoff: AnyId | None = None, **more: Any) -> Any:
    """The `event-data` of a report of Mailgun's."""
    return {
        "id": "CPgfbmQMTCKtHW6uIWtuVe",
        "timestamp": 1795514531.432,
        "log-level": "info",
        "event": event,
        "recipient": recipient,
        "recipient-domain": recipient.partition("@")[2],
        "tags": [],
        "user-variables": {} if handoff is None else {"limbo_handoff": str(handoff)},
        "message": {"headers": {"message-id": "20261124100211.1.ABC@mg.shop.example"}},
        "delivery-status": {"code": 250, "message": "OK", "description": ""},
        **more,
    }
