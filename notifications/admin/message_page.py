"""What one message's page shows besides the message itself."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from notifications.admin import choices
from notifications.history.lead import clock
from notifications.history.requests import request_that_made
from notifications.history.timeline import DeliverySummary, timeline
from notifications.models import ApiToken, Attachment, Message, RequestLog, TemplateVersion


@dataclass(frozen=True, slots=True)
class Identifier:
    """An id that people look for elsewhere: in an application's logs, at a provider."""

    label: str
    value: str


def page_context(message: Message, *, may_act: bool) -> dict[str, Any]:
    """The template's values for `message`; what can be done only where the reader may do it.

    As many queries for a message with one event as for one with thousands.
    """
    story = timeline(message, staff=True)
    request_row = request_that_made(message.id)
    return {
        "title": message.subject or "(no subject)",
        "subtitle": None,
        "message": message,
        "story": story,
        "choices": [choice for choice in choices.ALL if may_act and choice.count([message])],
        "identifiers": _identifiers(message, story.deliveries, request_row),
        "request_row": request_row,
        "token": _token(request_row),
        "template_version": _template_version(message),
        "files": _files(message),
        # a template would take a key called `items` for all of them
        "metadata": list((message.metadata or {}).items()),
        "now": timezone.now(),
    }


def _identifiers(
    message: Message, deliveries: tuple[DeliverySummary, ...], request_row: RequestLog | None
) -> list[Identifier]:
    """The message's ids, those of its hand-offs in their order, and its request's."""
    found = [
        Identifier("Message id", str(message.id)),
        Identifier("Message-ID header", message.header_message_id),
    ]
    # recipients share hand-offs
    handoffs = {attempt.handoff_id: attempt for row in deliveries for attempt in row.attempts}
    for id_, attempt in sorted(handoffs.items()):
        at = clock(attempt.started_at, now=timezone.now())
        found.append(Identifier(f"Hand-off to {attempt.provider}, {at}", str(id_)))
        if attempt.provider_message_id:
            found.append(Identifier(f"Id at {attempt.provider}", attempt.provider_message_id))
    if request_row and request_row.request_id:
        found.append(Identifier("Request id", str(request_row.request_id)))
    return found


def _token(request_row: RequestLog | None) -> ApiToken | None:
    """The token that the request came with; it stays known after it was revoked."""
    if request_row is None or request_row.token_id is None:
        return None
    return ApiToken.objects.filter(id=request_row.token_id).first()


def _template_version(message: Message) -> TemplateVersion | None:
    """What the message was rendered from, with its template."""
    if message.template_version_id is None:
        return None
    return TemplateVersion.objects.select_related("template").get(id=message.template_version_id)


def _files(message: Message) -> list[Attachment]:
    """What goes with the message: name, type and size, and nothing of what is in it."""
    found = Attachment.objects.filter(message=message).sized().defer("content")
    return list(found.order_by("position"))
