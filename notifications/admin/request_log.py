"""The request log: what applications asked of the API, and how they were answered."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin.display import badge, moment
from notifications.admin.filters import AnswerFilter, OwnerFilter
from notifications.admin.paging import LongListAdmin
from notifications.models import RequestLog

_TONES = {2: "good", 3: "quiet", 4: "doubt", 5: "bad"}


@admin.register(RequestLog)
class RequestLogAdmin(LongListAdmin[RequestLog]):
    """Every request, newest first; those without a valid token belong to nobody."""

    list_display = (
        "status_column",
        "request_column",
        "owner",
        "address",
        "duration_column",
        "message_column",
        "at_column",
    )
    fields = (
        "at_column",
        "status_column",
        "method",
        "path",
        "owner",
        "address",
        "duration_column",
        "message_column",
        "request_id",
    )
    list_display_links = ("request_column",)
    list_filter = (AnswerFilter, OwnerFilter)
    list_select_related = ("owner",)

    @admin.display(description="Answer")
    def status_column(self, row: RequestLog) -> SafeString:
        """The HTTP status, coloured by its class."""
        return badge(str(row.status), _TONES.get(row.status // 100, "quiet"))

    @admin.display(description="Request")
    def request_column(self, row: RequestLog) -> SafeString:
        """Method and path."""
        return format_html('<span class="lb-cut" title="{1}">{0} {1}</span>', row.method, row.path)

    @admin.display(description="Took")
    def duration_column(self, row: RequestLog) -> str:
        """How long the answer took."""
        return f"{row.duration_ms} ms"

    @admin.display(description="Message")
    def message_column(self, row: RequestLog) -> SafeString:
        """The message it made."""
        if row.message_id is None:
            return moment(None)
        page = reverse("admin:notifications_message_change", args=[row.message_id])
        return format_html('<a href="{}" class="lb-link">its message</a>', page)

    @admin.display(description="When")
    def at_column(self, row: RequestLog) -> SafeString:
        """When it came."""
        return moment(row.at)
