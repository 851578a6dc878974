"""Providers as staff see them live: how each stands, what is under way, and how that ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from notifications.admin.filters import READINGS_IN_WORDS
from notifications.admin.provider_standing import is_closed, standing, takes_new, why
from notifications.history.provider_health import Ends, Health, provider_healths
from notifications.history.timeline import timeline
from notifications.models import Message, Provider, User

MANY_ERRORS = 0.1
"""From this share of errors on a figure is shown as bad."""

FEW = 5
"""Of so few hand-offs one says nothing about a share."""


@dataclass(frozen=True, slots=True)
class Window:
    """How the hand-offs of a while ended."""

    title: str
    total: str
    rate: str
    errors: str
    """The share of errors; empty where there was nothing."""
    parts: str
    """What it is made of, in words."""
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One provider."""

    provider: Provider
    words: str
    tone: str
    why: str
    share: str
    """Its part of the new hand-offs now, by its weight; empty while it gets none."""
    in_flight: int
    lately: Window
    period: Window
    failure: dict[str, Any] | None
    """The latest hand-off that did not go well."""


def cards(providers: Iterable[Provider]) -> Sequence[Card]:
    """All of `providers` as they are now, in a fixed number of queries."""
    rows = list(providers)
    healths = provider_healths(now=timezone.now())
    weights = sum(row.weight for row in rows if _is_used(row))
    return [
        _card(row, healths.of.get(row.pk, Health()), weights, healths.lately, healths.period)
        for row in rows
    ]


def _card(
    provider: Provider, health: Health, weights: int, lately: timedelta, period: timedelta
) -> Card:
    words, tone = standing(provider)
    return Card(
        provider=provider,
        words=words,
        tone=tone,
        why=why(provider),
        share=f"{provider.weight / weights:.0%}" if _is_used(provider) else "",
        in_flight=health.in_flight,
        lately=_window(health.lately, lately),
        period=_window(health.period, period),
        failure=_failure(health),
    )


def _is_used(provider: Provider) -> bool:
    return takes_new(provider) and not is_closed(provider)


def _window(ends: Ends, length: timedelta) -> Window:
    minutes = length / timedelta(minutes=1)
    parts = (
        (ends.accepted, "accepted"),
        (ends.not_accepted, "not accepted"),
        (ends.uncertain, "uncertain"),
        (ends.refused, "refused for good"),
    )
    return Window(
        title=f"Last {_length(length)}",
        total=f"{ends.total:,}",
        rate=f"{ends.total / minutes:,.1f}" if minutes else "0.0",
        errors=f"{ends.error_share:.1%}" if ends.total else "",
        parts=", ".join(f"{count:,} {word}" for count, word in parts if count) or "nothing",
        is_bad=ends.total >= FEW and ends.error_share >= MANY_ERRORS,
    )


def _length(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds >= 3600:
        return "hour"
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"


def _failure(health: Health) -> dict[str, Any] | None:
    failure = health.failure
    if failure is None:
        return None
    return {
        "what": READINGS_IN_WORDS.get(failure.reading, failure.reading),
        "answer": " ".join(filter(None, (str(failure.code or ""), failure.answer))),
        "at": failure.at,
        "message_id": failure.message_id,
    }


def test_story(provider: Provider, message_id: UUID, user: User) -> dict[str, Any] | None:
    """What came of the test message that `user` sent through `provider`, if there is such a one."""
    message = Message.objects.owned_by(user).filter(
        pk=message_id, preferred_provider=provider.name, failover=False
    )
    found = message.first()
    if found is None:
        return None
    story = timeline(found, staff=True)
    attempts = [attempt for delivery in story.deliveries for attempt in delivery.attempts]
    return {"message": found, "story": story, "attempt": attempts[-1] if attempts else None}
