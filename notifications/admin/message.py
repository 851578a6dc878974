"""Messages: the list, and one message's page."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin.display import moment, state_badge
from notifications.admin.filters import MESSAGE_FILTERS
from notifications.admin.message_body import MessageBodies
from notifications.admin.message_list import MessageChangeList
from notifications.admin.message_page import page_context
from notifications.admin.own_page import OwnPage
from notifications.models import Delivery, Message

_SHOWN_RECIPIENTS = 1


@admin.register(Message)
class MessageAdmin(OwnPage[Message], MessageBodies):
    """Every message of every user, to find one and see what became of it."""

    list_display = (
        "state_column",
        "subject_column",
        "recipients_column",
        "owner",
        "accepted_column",
        "due_column",
    )
    list_display_links = ("subject_column",)
    list_filter = MESSAGE_FILTERS
    list_fullwidth = True
    list_select_related = ("owner",)
    search_fields = ("id",)
    search_help_text = "Address or part of it, words, id, provider's id, user"
    list_before_template = "admin/notifications/message/above_list.html"

    class Media:
        """The buttons that copy an id."""

        js = ("limbo-admin/copy.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """Messages, with the first recipients for the list."""
        deliveries = Delivery.objects.filter(message=OuterRef("pk"))
        counts = deliveries.order_by().values("message").annotate(n=Count("pk")).values("n")
        first = deliveries.order_by("id").values("address")[:_SHOWN_RECIPIENTS]
        return (
            super()
            .get_queryset(request)
            .annotate(
                first_recipients=ArraySubquery(first),
                recipient_count=Subquery(counts, output_field=IntegerField()),
            )
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[MessageChangeList]:
        """The list that finds a page's ids first."""
        return MessageChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """All of `queryset`: the list searches for itself; see `matching`."""
        return queryset, False

    @admin.display(description="State")
    def state_column(self, message: Message) -> SafeString:
        """The state, as a coloured label."""
        return state_badge(message.state)

    @admin.display(description="Subject")
    def subject_column(self, message: Message) -> SafeString:
        """The subject, cut short by the stylesheet."""
        subject = message.subject or "(no subject)"
        return format_html('<span class="lb-cut lb-subject" title="{0}">{0}</span>', subject)

    @admin.display(description="Recipients")
    def recipients_column(self, message: Any) -> SafeString:
        """The first recipients, and how many more there are."""
        shown = ", ".join(message.first_recipients)
        more = (message.recipient_count or 0) - len(message.first_recipients)
        rest = f"+ {more}" if more > 0 else ""
        return format_html(
            '<span class="lb-cut" title="{0}">{0}</span> <span class="lb-time">{1}</span>',
            shown,
            rest,
        )

    @admin.display(description="Accepted")
    def accepted_column(self, message: Message) -> SafeString:
        """When it was accepted."""
        return moment(message.accepted_at)

    @admin.display(description="Next due")
    def due_column(self, message: Message) -> SafeString:
        """When something will be tried next."""
        if message.due_at and message.due_at <= timezone.now():
            return format_html('<span class="lb-time">{}</span>', "now")
        return moment(message.due_at)

    def own_context(self, request: HttpRequest, obj: Message) -> dict[str, Any]:
        """All that is known of the message, and what may be done about it."""
        return {
            **page_context(obj, may_act=self.has_act_permission(request)),
            "may_view_content": self.has_content_permission(request, obj),
        }
