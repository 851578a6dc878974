"""How a bulk action gets on, in words and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from notifications.admin.choices import BY_NAME, counted
from notifications.history.wording import duration
from notifications.models import BulkAction, BulkTarget, Heartbeat, TargetOutcome
from notifications.queue.bulk_targets import KEPT

_SHOWN = 20

_PATIENCE = timedelta(seconds=3)
"""After so long without a worker one is told why it has not begun."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an action stands."""

    headline: str
    short: str
    tone: str
    remarks: Sequence[tuple[str, int]]
    """Why messages were not done, and how many for each reason."""
    not_done: Sequence[BulkTarget]
    """The first of them, each with its message."""
    left_out: str
    """Why not all of them are shown; empty where they are."""


def bulk_title(action: BulkAction) -> str:
    """What it does, and to how many: `Requeue 5,000 dead letters of all users through ses`."""
    choice = BY_NAME[action.choice]
    what = f"{counted(action.deliveries, choice.target)} {action.whose}"
    return choice.sentence(what, through=action.through)


def progress_of(action: BulkAction) -> Progress:
    """Where `action` stands now."""
    headline, short, tone = _standing(action)
    not_done = _not_done(action) if action.remarks else []
    return Progress(
        headline,
        short,
        tone,
        remarks=sorted(action.remarks.items(), key=lambda remark: -remark[1]),
        not_done=not_done,
        left_out=_left_out(action, len(not_done)),
    )


def _not_done(action: BulkAction) -> list[BulkTarget]:
    rows = action.targets.filter(outcome__in=[TargetOutcome.SKIPPED, TargetOutcome.FAILED])
    return list(rows.select_related("message").order_by("message_id")[:_SHOWN])


def _left_out(action: BulkAction, shown: int) -> str:
    if sum(action.remarks.values()) <= shown:
        return ""
    if action.targets_removed_at:
        return f"Which messages these were is kept for {KEPT.days} days after the end."
    return f"The first {shown} are shown."


def _standing(action: BulkAction) -> tuple[str, str, str]:
    """In a sentence, in a word, and its tone."""
    if action.stopped_by:
        left = counted(action.left, "message")
        return f"Stopped by {action.stopped_by}. {left} stayed as before.", "stopped", "quiet"
    if action.ended_at:
        tone = "doubt" if action.failed else "good"
        return f"Done in {_took(action)}.", "done", tone
    if action.is_halted:
        tries = f"{action.tries} tries in a row did nothing"
        return f"It stopped by itself: {tries}. {_last_try(action)}", "given up", "bad"
    if action.error:
        return f"{_last_try(action)} It is tried again within a minute.", "in trouble", "doubt"
    if action.started_at is None:
        return _waiting(action), "waiting", "busy"
    if action.due_at and action.due_at < timezone.now():
        return "Its worker is gone. Another one goes on in a moment.", _percent(action), "doubt"
    return f"Under way. {_estimate(action)}".strip(), _percent(action), "busy"


def _last_try(action: BulkAction) -> str:
    if action.error:
        return f"The last one ended with: {action.error.rstrip('.')}."
    return "The last one told nothing: its worker was killed, or the machine went down."


def _waiting(action: BulkAction) -> str:
    late = timezone.now() - action.created_at > _PATIENCE
    if late and not Heartbeat.objects.is_alive():
        return "No worker is at work. It begins as soon as one is."
    return "It begins as soon as a worker is free."


def _took(action: BulkAction) -> str:
    if action.ended_at is None:
        return ""
    return duration((action.ended_at - action.created_at).total_seconds())


def _percent(action: BulkAction) -> str:
    return f"{100 * action.settled // max(action.total, 1)} %"


def _estimate(action: BulkAction) -> str:
    if action.started_at is None or not action.settled:
        return ""
    seconds = (timezone.now() - action.started_at).total_seconds()
    return f"About {duration(seconds * action.left / action.settled)} left."
