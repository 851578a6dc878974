"""The display functions as template filters; settings name this library `limbo_display`."""

import json
from collections.abc import Mapping
from typing import Any

from django import template
from django.db.models import Model
from django.utils.text import capfirst

from notifications.admin import display
from notifications.admin.navigation import name_of
from notifications.history.timeline import AttemptSummary
from notifications.models.state import State

register = template.Library()

register.filter("state_badge", display.state_badge)
register.filter("outcome_badge", display.outcome_badge)
register.filter("moment", display.moment)
register.filter("exact", display.exact)


@register.filter
def crumb(part: Mapping[str, Any]) -> str:
    """A step of the way to a page: a list is called as in the sidebar, a row as it is spelled."""
    title = part["title"]
    if isinstance(title, Model):
        return str(title)
    return name_of(str(part["link"])) or capfirst(str(title))


@register.filter
def thousands(number: int) -> str:
    """A count, readable: `5,000`."""
    return f"{number:,}"


@register.filter
def tone(state: State | None) -> str:
    """The colour family of a state; quiet for what is none."""
    return display.TONE_OF[state] if state else "quiet"


@register.filter
def took(attempt: AttemptSummary) -> str:
    """How long an attempt that ended went on: `took 120 ms`."""
    if attempt.ended_at is None:
        return ""
    seconds = (attempt.ended_at - attempt.started_at).total_seconds()
    return f"took {seconds * 1000:.0f} ms" if seconds < 1 else f"took {seconds:.1f} s"


@register.filter
def raw(data: Mapping[str, Any]) -> str:
    """An event's own data, to read."""
    return json.dumps(data, indent=2, ensure_ascii=False)
