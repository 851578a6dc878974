"""Hard or soft: whether a bounce says that the address is of no use.

Anymail tells bounces from deferrals, but calls some bounces by one name that their provider
distinguishes. Only a hard one may keep mail from an address.
"""

from collections.abc import Callable, Mapping
from typing import Any

from anymail.signals import AnymailTrackingEvent, RejectReason

_HARD_REASONS = (RejectReason.BOUNCED, RejectReason.INVALID)

_SPARKPOST_HARD = ("10", "30")
"""Invalid recipient; no such recipient. Its other classes are full mailboxes, blocks, failures."""


def _sparkpost_class(raw: Mapping[str, Any]) -> str:
    """The class within `{"msys": {"message_event": {…}}}`."""
    events = raw.get("msys", {}).values()
    return next((str(event.get("bounce_class", "")) for event in events), "")


_IS_HARD: Mapping[str, Callable[[Any], bool]] = {
    "Amazon SES": lambda raw: raw.get("bounce", {}).get("bounceType") == "Permanent",
    "Brevo": lambda raw: raw.get("event") != "soft_bounce",
    "MailerSend": lambda raw: raw.get("data", {}).get("type") == "hard_bounced",
    "Mailjet": lambda raw: bool(raw.get("hard_bounce")),
    "Mandrill": lambda raw: raw.get("event") == "hard_bounce",
    "Postmark": lambda raw: raw.get("Type") == "HardBounce",
    "Resend": lambda raw: raw.get("data", {}).get("bounce", {}).get("type") == "Permanent",
    "SendGrid": lambda raw: raw.get("type") != "blocked",
    "SparkPost": lambda raw: _sparkpost_class(raw) in _SPARKPOST_HARD,
}
"""By Anymail's name; at the others a bounce is hard when Anymail's reason says so."""


def is_hard(event: AnymailTrackingEvent, esp_name: str) -> bool:
    """Whether a `bounced` event means that the address takes no mail, now or later."""
    says = _IS_HARD.get(esp_name)
    if says is not None:
        return says(event.esp_event)
    return event.reject_reason in _HARD_REASONS
