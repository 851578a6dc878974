"""The log of staff's actions: who did or looked at what, when and why. Nobody changes it."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin.display import moment
from notifications.admin.filters import MOST_OWNERS
from notifications.admin.paging import LongListAdmin
from notifications.models import User

_BECAUSE = " Reason: "


def told(did: str, why: str) -> str:
    """The text of an entry: what was done, a sentence of ours, and why, in staff's own words."""
    return f"{did}{_BECAUSE}{why}" if why else did


def in_words(message: list[dict[str, Any]]) -> str:
    """What Django says of a form's changes, such as "Changed Weight."."""
    return LogEntry(action_flag=CHANGE, change_message=json.dumps(message)).get_change_message()


def entry_of(row: Model, by: User, note: str, *, called: str = "", flag: int = CHANGE) -> LogEntry:
    """The entry, not stored yet, of what `by` did to `row`; `called` so, if not as itself says."""
    return LogEntry(
        user=by,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=(called or str(row))[:200],
        action_flag=flag,
        change_message=note,
    )


def log_removals(request: HttpRequest, rows: Iterable[tuple[str, Model]], *, why: str) -> None:
    """Note that `rows`, each with what it is called, are removed by whoever makes the request.

    To be called before they are.
    """
    by, note = cast("User", request.user), told("Removed.", why)
    LogEntry.objects.bulk_create(
        entry_of(row, by, note, called=name, flag=DELETION) for name, row in rows
    )


def _parts(entry: LogEntry) -> tuple[str, str]:
    """What was done, and why; the second is empty where nobody was asked."""
    did, _, why = (entry.get_change_message() or entry.get_action_flag_display()).partition(
        _BECAUSE
    )
    return did, why


class ByFilter(SimpleListFilter):
    """By who did it."""

    title = "who"
    parameter_name = "by"

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin[Any]
    ) -> Sequence[tuple[str, str]]:
        """Staff, as far as they make a list to choose from."""
        staff = User.objects.filter(is_staff=True).order_by("username")
        return [(name, name) for name in staff.values_list("username", flat=True)[:MOST_OWNERS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        """What the chosen one did; all while there is none."""
        if not self.value():
            return queryset
        user = User.objects.filter(username=self.value()).first()
        return queryset.filter(user=user) if user else queryset.none()


class KindFilter(SimpleListFilter):
    """By what it was done to."""

    title = "to what"
    parameter_name = "kind"

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin[Any]
    ) -> Sequence[tuple[str, str]]:
        """What has a screen that this user may see."""
        return [
            (f"{app['app_label']}.{model['object_name']}".lower(), str(model["name"]))
            for app in admin.site.get_app_list(request)
            for model in app["models"]
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        """What was done to such things; all while none is chosen."""
        app, _, model = str(self.value() or "").partition(".")
        if not model:
            return queryset
        # found first, for the index on it
        kind = ContentType.objects.filter(app_label=app, model=model).first()
        return queryset.filter(content_type=kind) if kind else queryset.none()


@admin.register(LogEntry)
class LogEntryAdmin(LongListAdmin[LogEntry]):
    """Every action, newest first."""

    list_display = ("time_column", "user", "change_column", "object_column", "why_column")
    fields = (
        "action_time",
        "user",
        "change_column",
        "content_type",
        "object_column",
        "object_id",
        "why_text",
    )
    list_display_links = ("time_column",)
    list_filter = (ByFilter, KindFilter)
    list_select_related = ("user", "content_type")

    @admin.display(description="When")
    def time_column(self, entry: LogEntry) -> SafeString:
        """When it was done."""
        return moment(entry.action_time)

    @admin.display(description="What")
    def change_column(self, entry: LogEntry) -> str:
        """What was done, in words."""
        return _parts(entry)[0]

    @admin.display(description="To")
    def object_column(self, entry: LogEntry) -> SafeString:
        """What it was done to, with the way there."""
        kind = entry.content_type.name if entry.content_type else ""
        return format_html(
            '<span class="lb-cut" title="{0} {1}">{0} <a class="lb-link" href="{2}">{1}</a></span>',
            kind,
            entry.object_repr,
            entry.get_admin_url() or "",
        )

    @admin.display(description="Why")
    def why_column(self, entry: LogEntry) -> SafeString:
        """The reason that was given, cut to the width of a column."""
        return format_html('<span class="lb-cut" title="{0}">{0}</span>', _parts(entry)[1] or "–")

    @admin.display(description="Why")
    def why_text(self, entry: LogEntry) -> str:
        """The reason that was given, in full."""
        return _parts(entry)[1] or "–"
