"""From Anymail's tracking signal into the history."""

import hashlib
import json
import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, tracking
from django.db import transaction
from django.dispatch import receiver

from notifications.delivery.esps import ESPS, Mark
from notifications.delivery.transports.anymail import HANDOFF_KEY
from notifications.history.tracking import REPORTABLE, Report, apply_tracking_event
from notifications.models import Attempt, Delivery, State, Suppression, SuppressionReason
from notifications.tracking.bounces import is_hard
from notifications.tracking.lookup import find_attempt

logger = logging.getLogger(__name__)

_LONGEST_TEXT = 2000
"""Characters of a provider's words that are kept."""


@receiver(tracking, dispatch_uid="notifications.tracking")
def receive_report(event: AnymailTrackingEvent, esp_name: str, **_kwargs: Any) -> None:
    """Put what the provider `esp_name` reports into the history.

    Kinds that move no delivery (opened, clicked, …) and messages that are not known are passed
    over: the provider has done its part.
    """
    if event.event_type not in REPORTABLE:
        return
    attempt = find_attempt(
        handoff_id=_handoff_id(event, esp_name),
        provider_message_id=_clean(event.message_id),
        recipient=_clean(event.recipient),
    )
    if attempt is None:
        logger.info("%s reports %s of an unknown message", esp_name, event.event_type)
        return
    with transaction.atomic():
        apply_tracking_event(_report(event, esp_name, attempt))
        _suppress(event, esp_name, attempt.delivery)


def _handoff_id(event: AnymailTrackingEvent, esp_name: str) -> UUID | None:
    """The Handoff's id that travelled with the message, in the place where that provider keeps it.

    Only there: what else a message carries, its sender may choose.
    """
    service = esp_name.lower().replace(" ", "_")
    in_tags = any(esp.backend == service and esp.mark is Mark.TAG for esp in ESPS.values())
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    for mark in event.tags or () if in_tags else [metadata.get(HANDOFF_KEY)]:
        with suppress(ValueError):
            return UUID(str(mark))
    return None


def _report(event: AnymailTrackingEvent, esp_name: str, attempt: Attempt) -> Report:
    data = {"provider": attempt.handoff.provider.name}
    if words := _words(event):
        data["answer"] = words
    if event.timestamp:
        data["reported_at"] = event.timestamp.isoformat()
    return Report(
        attempt=attempt,
        state=State(event.event_type),
        report_id=_report_id(event, esp_name),
        data=data,
    )


def _report_id(event: AnymailTrackingEvent, esp_name: str) -> str:
    """The same for each copy of one report.

    Made from what the report says: some providers give reports no id, others a new one with every
    repetition.
    """
    facts = [
        esp_name,
        event.event_type,
        event.timestamp and event.timestamp.isoformat(),
        event.message_id,
        event.description,
        event.mta_response,
    ]
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:32]


def _suppress(event: AnymailTrackingEvent, esp_name: str, delivery: Delivery) -> None:
    """Keep further mail from an address that is of no use, or whose reader complained."""
    if event.event_type == State.COMPLAINED:
        reason = SuppressionReason.COMPLAINED
    elif event.event_type == State.BOUNCED and is_hard(event, esp_name):
        reason = SuppressionReason.BOUNCED
    else:
        return
    _, is_new = Suppression.objects.get_or_create(
        owner_id=delivery.owner_id,
        # in lower case it holds for every spelling
        address=delivery.address.lower(),
        defaults={"reason": reason, "note": f"{esp_name}: {_words(event) or event.event_type}"},
    )
    if is_new:
        logger.info("Suppressed an address of delivery %s: it %s", delivery.id, reason.value)


def _words(event: AnymailTrackingEvent) -> str:
    """What the recipient's server said, else what the provider says about it."""
    return _clean(event.mta_response) or _clean(event.description)


def _clean(text: Any) -> str:
    """Foreign text as the database takes it: without NUL, and not endless."""
    return str(text or "").replace("\x00", "")[:_LONGEST_TEXT]
