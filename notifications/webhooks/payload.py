"""What is posted: an event, in the form of Standard Webhooks, as its owner may know it."""

import json
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from notifications.history.wording import Facts, Reader
from notifications.models import Event
from notifications.webhooks.endpoints import EVENT_TYPES


def payloads(event_ids: Iterable[int]) -> dict[int, str]:
    """The JSON to post for each event that there is, by its id, in one query.

    It never holds a message's subject or body.
    """
    events = Event.objects.filter(id__in=list(event_ids))
    return {
        event.id: json.dumps(_payload(event), ensure_ascii=False, separators=(",", ":"))
        for event in events.select_related("message__owner", "delivery")
    }


def _payload(event: Event) -> dict[str, Any]:
    return {
        "type": EVENT_TYPES.get(event.kind, f"message.{event.kind}"),
        "timestamp": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "message_id": str(event.message_id),
            "seq": event.seq,
            "kind": event.kind,
            **({"test": True} if event.message.is_test else {}),
            **_recipient(event),
            **_told(event),
        },
    }


def _recipient(event: Event) -> dict[str, Any]:
    delivery = event.delivery
    if delivery is None:
        return {}
    return {
        "delivery_id": str(delivery.id),
        "recipient": delivery.address,
        "recipient_kind": delivery.kind,
    }


def _told(event: Event) -> dict[str, Any]:
    """What the event tells beside that: only what its owner's own pages show too."""
    reader = Reader(owner=event.message.owner.get_username(), is_staff=False)
    facts = Facts.of_event(event.data, reader)
    told = {
        "provider": facts.provider,
        "code": facts.code,
        "answer": facts.answer,
        "reason": facts.reason,
    }
    return {key: value for key, value in told.items() if value}
