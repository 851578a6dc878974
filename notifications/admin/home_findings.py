"""What is wrong now, and where to look. Cheap queries only, each by an index."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Max, Min, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from notifications.admin.bulk_progress import bulk_title
from notifications.admin.filters import DEAD_LETTERS
from notifications.admin.provider_standing import standing, why
from notifications.delivery.provider_config import SANDBOX
from notifications.history.headline import moment
from notifications.models import BulkAction, Heartbeat, Message, Provider, User
from notifications.models.ids import first_id
from notifications.models.message import in_states
from notifications.models.state import State

COUNT_CAP = 1000
"""Counting stops here: more is `1000+`."""

PATIENCE = timedelta(minutes=1)
"""What has been due for longer than this is a backlog."""


_MOST_BULK_ACTIONS = 5

_URGENCY = ("bad", "doubt", "quiet", "good")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page: how one thing stands."""

    title: str
    text: str
    tone: str
    """good, quiet, doubt or bad: the last two are wrong now."""
    link: str

    @property
    def is_wrong(self) -> bool:
        """Whether somebody should look."""
        return self.tone in {"doubt", "bad"}


def findings_for(user: User | AnonymousUser) -> list[Finding]:
    """What this user may know, what is wrong first."""
    findings = []
    if user.has_perm("notifications.view_message"):
        findings += [_worker(), _backlog(), _uncertain(), _dead_letters(), *_bulk_actions()]
    if user.has_perm("notifications.view_provider"):
        findings += _providers()
    return sorted(findings, key=lambda finding: _URGENCY.index(finding.tone))


def _worker() -> Finding:
    link = reverse("admin:notifications_message_changelist")
    beating = Heartbeat.objects.alive().aggregate(count=Count("*"), since=Min("started_at"))
    if beating["count"]:
        several = f"{beating['count']} clusters at work" if beating["count"] > 1 else "At work"
        return Finding("Workers", f"{several} since {_moment(beating['since'])}.", "good", link)
    last = Heartbeat.objects.aggregate(last=Max("beat_at"))["last"]
    since = f"No worker has taken up work for {timesince(last)}" if last else "No worker has begun"
    return Finding("Workers", f"{since}: nothing is being sent.", "bad", link)


def _backlog() -> Finding:
    now = timezone.now()
    link = _messages(state=State.PENDING)
    waiting = Message.objects.filter(due_at__lte=now, lease_until__isnull=True)
    # every user's oldest is near the front of the queue: its order within a user is that of time
    in_line = waiting.filter(turn__isnull=False).order_by("turn", "id")
    without_turn = waiting.filter(turn__isnull=True).order_by("due_at")
    fronts = [rows.values("due_at")[: COUNT_CAP + 1] for rows in (in_line, without_turn)]
    found = [front.aggregate(count=Count("*"), oldest=Min("due_at")) for front in fronts]
    count = _up_to_cap(sum(row["count"] for row in found))
    oldest = min((row["oldest"] for row in found if row["oldest"]), default=None)
    if oldest is None:
        return Finding("Backlog", "Nothing waits for a worker.", "good", link)
    if now - oldest < PATIENCE:
        return Finding("Backlog", f"{count} due, none for long.", "good", link)
    text = f"{count} due, the oldest for {timesince(oldest, now)}."
    return Finding("Backlog", text, "doubt", link)


def _uncertain() -> Finding:
    link = _messages(state=State.UNCERTAIN)
    count = _capped(Message.objects.filter(in_states(State.UNCERTAIN), is_test=False))
    if count == "0":
        return Finding("Uncertain", "Of every message it is known what became of it.", "good", link)
    return Finding("Uncertain", f"{count} may or may not have been taken.", "doubt", link)


def _dead_letters() -> Finding:
    link = _messages(state=DEAD_LETTERS)
    count = _capped(Message.objects.dead_letters().filter(is_test=False))
    if count == "0":
        return Finding("Dead letters", "None.", "good", link)
    day_ago = first_id(timezone.now() - timedelta(days=1))
    recent = _capped(Message.objects.dead_letters().filter(is_test=False, id__gte=day_ago))
    text = f"{count} ended without success, {recent} of them accepted in the last 24 hours."
    return Finding("Dead letters", text, "bad", link)


def _bulk_actions() -> list[Finding]:
    """Those that wait for staff; there is nothing to say where none does."""
    halted = BulkAction.objects.filter(halted_at__isnull=False, ended_at__isnull=True)
    return [
        Finding(
            "Bulk action",
            f"Stopped by itself at {_moment(action.halted_at)}: {bulk_title(action)}.",
            "bad",
            reverse("admin:notifications_bulkaction_change", args=[action.pk]),
        )
        for action in halted.order_by("-halted_at")[:_MOST_BULK_ACTIONS]
        if action.halted_at
    ]


def _providers() -> list[Finding]:
    findings = []
    for provider in Provider.objects.exclude(name=SANDBOX):
        words, tone = standing(provider)
        link = reverse("admin:notifications_provider_change", args=[provider.pk])
        text = f"{words.capitalize()}. {why(provider)}".strip()
        findings.append(Finding(f"Provider {provider.name}", text, tone, link))
    return findings


def _messages(*, state: str) -> str:
    return f"{reverse('admin:notifications_message_changelist')}?state={state}"


def _capped(rows: QuerySet[Message]) -> str:
    return _up_to_cap(rows.order_by().values("pk")[: COUNT_CAP + 1].count())


def _moment(at: datetime) -> str:
    """A time in UTC, with its day where that is another one."""
    return moment(at.astimezone(UTC), now=timezone.now())


def _up_to_cap(count: int) -> str:
    return f"{COUNT_CAP}+" if count > COUNT_CAP else str(count)
