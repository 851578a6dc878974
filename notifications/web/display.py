"""Template tags of the users' pages: states as badges, moments as `<time>`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from notifications.history.wording import duration
from notifications.models.state import State

register = template.Library()

TONES: Mapping[str, tuple[State, ...]] = {
    "good": (State.SENT, State.DELIVERED),
    "going": (State.PENDING, State.SCHEDULED, State.SENDING, State.QUEUED),
    "doubt": (State.HELD, State.UNCERTAIN, State.DEFERRED),
    "bad": (
        State.BOUNCED,
        State.REJECTED,
        State.FAILED,
        State.COMPLAINED,
        State.DEAD,
        State.EXPIRED,
    ),
    "over": (State.SUPPRESSED, State.CANCELLED),
}
_TONE_OF = {state: tone for tone, states in TONES.items() for state in states}

_TONE_OF_CLASS = {2: "good", 3: "over", 4: "doubt", 5: "bad"}

_DAY_SECONDS = 24 * 3600


@register.filter
def tone(state: str | None) -> str:
    """How a state is to be felt: good, going, doubt, bad or over; plain for no state."""
    return _TONE_OF[State(state)] if state else "plain"


@register.filter
def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"


@register.simple_tag
def badge(state: str) -> SafeString:
    """The state in words, with a mark of its tone."""
    label = capfirst(State(state).label)
    return format_html('<span class="badge tone-{}">{}</span>', tone(state), label)


@register.simple_tag
def answer(status: int) -> SafeString:
    """An HTTP status, with a mark of its class's tone."""
    return format_html(
        '<span class="badge tone-{}">{}</span>', _TONE_OF_CLASS.get(status // 100, "plain"), status
    )


@register.simple_tag
def moment(at: datetime) -> SafeString:
    """The exact moment: `24 Nov 2026, 10:02:11 UTC`."""
    return _time(at, exact(at))


@register.simple_tag
def clock(at: datetime) -> SafeString:
    """The time of day, where the day stands beside it."""
    return _time(at, f"{at:%H:%M:%S}", title=True)


@register.simple_tag
def ago(at: datetime) -> SafeString:
    """How long ago, or in how long; the day after more than a day, and exactly on hover."""
    seconds = (timezone.now() - at).total_seconds()
    if abs(seconds) > _DAY_SECONDS:
        words = f"{at.day} {at:%b %Y}"
    else:
        words = f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"
    return _time(at, words, title=True)


@register.simple_tag(takes_context=True)
def room(context: dict[str, Any], name: str, label: str) -> SafeString:
    """A link of the header's to one of the main pages, marked where one is on it or below it."""
    address, here = reverse(name), context["request"].path
    mark = "page" if here == address else "true" if here.startswith(address) else ""
    current = format_html(' aria-current="{}"', mark) if mark else ""
    return format_html('<a href="{}"{}>{}</a>', address, current, label)


def exact(at: datetime) -> str:
    """A moment with its day and zone; everything is told in UTC."""
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def _time(at: datetime, words: str, *, title: bool = False) -> SafeString:
    hover = format_html(' title="{}"', exact(at)) if title else ""
    return format_html('<time datetime="{}"{}>{}</time>', at.isoformat(), hover, words)
