"""What one message's page shows besides the message itself."""

from typing import Any

from django.utils import timezone

from notifications.admin import choices
from notifications.history.timeline import timeline
from notifications.models import Handoff, Message, RequestLog


def page_context(message: Message, *, may_act: bool) -> dict[str, Any]:
    """The template's values for `message`; what can be done only where the reader may do it."""
    possible = [choice for choice in choices.ALL if may_act and choice.count([message])]
    return {
        "title": message.subject or "(no subject)",
        "subtitle": None,
        "message": message,
        "story": timeline(message, staff=True),
        "choices": possible,
        "handoffs": _named_by_provider(message),
        "request_row": RequestLog.objects.filter(message_id=message.id).first(),
        "now": timezone.now(),
    }


def _named_by_provider(message: Message) -> list[Handoff]:
    """The hand-offs that a provider gave an id of its own."""
    handoffs = Handoff.objects.filter(message=message).exclude(provider_message_id="")
    return list(handoffs.select_related("provider").order_by("id"))
