"""The log of staff's actions: who did or looked at what, when and why."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin.display import moment
from notifications.admin.paging import LongListAdmin


@admin.register(LogEntry)
class LogEntryAdmin(LongListAdmin[LogEntry]):
    """Every action, newest first."""

    list_display = ("time_column", "user", "change_column", "object_column", "content_type")
    fields = ("action_time", "user", "content_type", "object_repr", "object_id", "change_column")
    list_display_links = ("time_column",)
    list_select_related = ("user", "content_type")

    @admin.display(description="When")
    def time_column(self, entry: LogEntry) -> SafeString:
        """When it was done."""
        return moment(entry.action_time)

    @admin.display(description="What")
    def change_column(self, entry: LogEntry) -> str:
        """What was done, in words."""
        return entry.get_change_message() or entry.get_action_flag_display()

    @admin.display(description="To")
    def object_column(self, entry: LogEntry) -> SafeString:
        """What it was done to."""
        return format_html('<span class="lb-cut" title="{0}">{0}</span>', entry.object_repr)
