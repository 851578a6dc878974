"""How values look on staff's screens. All of them may be hostile: everything is escaped."""

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.history.lead import clock
from notifications.models.handoff import Outcome
from notifications.models.state import State

_TONES: dict[str, tuple[State, ...]] = {
    "good": (State.QUEUED, State.SENT, State.DELIVERED),
    "busy": (State.PENDING, State.SCHEDULED, State.SENDING),
    "doubt": (State.UNCERTAIN, State.DEFERRED, State.HELD),
    "bad": (
        State.FAILED,
        State.DEAD,
        State.REJECTED,
        State.BOUNCED,
        State.EXPIRED,
        State.COMPLAINED,
    ),
    "quiet": (State.SUPPRESSED, State.CANCELLED),
}

TONE_OF = {state: tone for tone, states in _TONES.items() for state in states}
"""The colour family of each state."""

_OUTCOME_TONES = {
    Outcome.IN_FLIGHT: "busy",
    Outcome.ACCEPTED: "good",
    Outcome.UNCERTAIN: "doubt",
    Outcome.NOT_ACCEPTED: "quiet",
    Outcome.REFUSED: "bad",
}

_UNITS = {"day": 86_400, "h": 3_600, "min": 60}
"""Seconds of each unit, the longest first."""


def badge(text: str, tone: str) -> SafeString:
    """A small coloured label; `tone` is good, busy, doubt, bad or quiet."""
    return format_html('<span class="lb-badge lb-{}">{}</span>', tone, text)


def state_badge(state: str) -> SafeString:
    """The label of a message's or a delivery's state."""
    known = State(state)
    return badge(known.label, TONE_OF[known])


def outcome_badge(outcome: str) -> SafeString:
    """The label of how an attempt ended."""
    known = Outcome(outcome)
    return badge(known.label, _OUTCOME_TONES[known])


def relative(at: datetime, *, now: datetime) -> str:
    """How far `at` is from `now`, in words as short as a column wants them: `5 min ago`."""
    seconds = abs((at - now).total_seconds())
    for unit, length in _UNITS.items():
        if seconds >= length:
            count = int(seconds // length)
            distance = f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
            return f"{distance} ago" if at < now else f"in {distance}"
    return "just now" if at <= now else "in a moment"


def exact(at: datetime) -> SafeString:
    """A time to the second (UTC), with its day unless that is today; how long ago on hover."""
    now = timezone.now()
    return format_html(
        '<time datetime="{}" title="{}" class="lb-time">{}</time>',
        at.isoformat(),
        relative(at, now=now),
        clock(at, now=now),
    )


def moment(at: datetime | None) -> SafeString:
    """A time, relative, with the exact one (UTC) on hover and for machines."""
    if at is None:
        return format_html('<span class="lb-none">{}</span>', "–")
    whole = at.astimezone(timezone.get_default_timezone())
    return format_html(
        '<time datetime="{}" title="{} UTC" class="lb-time">{}</time>',
        whole.isoformat(),
        f"{whole:%d %b %Y %H:%M:%S}",
        relative(at, now=timezone.now()),
    )
