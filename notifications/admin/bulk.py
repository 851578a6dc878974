"""Bulk actions: what was begun for many messages at once, and how it gets on."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from notifications.admin.bulk_progress import bulk_title, progress_of
from notifications.admin.display import badge, moment
from notifications.admin.own_page import OwnPage
from notifications.admin.paging import LongListAdmin
from notifications.admin.staff_log import entry_of, told
from notifications.models import BulkAction, User
from notifications.queue.bulk import go_on_bulk, stop_bulk


@admin.register(BulkAction)
class BulkActionAdmin(OwnPage[BulkAction], LongListAdmin[BulkAction]):
    """Every bulk action, newest first; whoever may see messages sees them."""

    list_display = ("title_column", "by", "created_column", "standing_column")
    list_display_links = ("title_column",)
    list_select_related = ("by",)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whoever may see messages, or act on them."""
        may = request.user.has_perm
        return may("notifications.view_message") or may("notifications.change_message")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whoever may make choices may stop them."""
        return request.user.has_perm("notifications.change_message")

    @admin.display(description="What")
    def title_column(self, action: BulkAction) -> str:
        """What it does."""
        return bulk_title(action)

    @admin.display(description="Begun")
    def created_column(self, action: BulkAction) -> SafeString:
        """When it was confirmed."""
        return moment(action.created_at)

    @admin.display(description="Progress")
    def standing_column(self, action: BulkAction) -> SafeString:
        """How far it has come."""
        progress = progress_of(action)
        return badge(progress.short, progress.tone)

    def get_urls(self) -> list[URLPattern]:
        """Django's, the part of the page that renews itself, and its buttons'."""
        views = {
            "progress": self.progress_view,
            "stop": self.stop_view,
            "go_on": self.go_on_view,
        }
        own = [
            path(
                f"<uuid:action_id>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(view),
                name=f"notifications_bulkaction_{name}",
            )
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def own_context(self, request: HttpRequest, obj: BulkAction) -> dict[str, Any]:
        """How the bulk action gets on, and who may act on it."""
        return {
            "title": bulk_title(obj),
            "subtitle": None,
            "bulk": obj,
            "progress": progress_of(obj),
            "may_act": self.has_act_permission(request),
        }

    def progress_view(self, request: HttpRequest, action_id: UUID) -> HttpResponse:
        """The part of the page that changes, for the page to put in its place."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        action = _find(action_id)
        context = {
            "bulk": action,
            "progress": progress_of(action),
            "may_act": self.has_act_permission(request),
            "is_part": True,
        }
        return TemplateResponse(request, "admin/notifications/bulkaction/progress.html", context)

    def stop_view(self, request: HttpRequest, action_id: UUID) -> HttpResponse:
        """Stop it where it stands, and say so."""
        return self._press(
            request,
            action_id,
            lambda by: stop_bulk(action_id, by=by),
            did="Stopped",
            otherwise="It had ended already.",
        )

    def go_on_view(self, request: HttpRequest, action_id: UUID) -> HttpResponse:
        """Go on where it was given up, and say so."""
        return self._press(
            request,
            action_id,
            lambda _: go_on_bulk(action_id),
            did="Went on",
            otherwise="It was under way already, or had ended.",
        )

    def _press(
        self,
        request: HttpRequest,
        action_id: UUID,
        do: Callable[[User], bool],
        *,
        did: str,
        otherwise: str,
    ) -> HttpResponse:
        """Press a button of the page: `do` it, note that it was done, and show the page again."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        by = cast("User", request.user)
        action = _find(action_id)
        if do(by):
            action.refresh_from_db()
            log_bulk(action, by, f"{did}, with {action.left:,} messages left.")
        else:
            self.message_user(request, otherwise, messages.WARNING)
        page = reverse("admin:notifications_bulkaction_change", args=[action_id])
        return HttpResponseRedirect(page)


def noted(action: BulkAction) -> str:
    """What the log says of its beginning: what, which messages, and why."""
    parts = [bulk_title(action)]
    if action.chosen_by:
        parts.append(f"Chosen by {action.chosen_by}")
    return told(f"{'. '.join(parts)}.", action.reason)


def log_bulk(action: BulkAction, by: User, note: str) -> None:
    """Write an entry into the log of staff's actions."""
    entry_of(action, by, note, called=bulk_title(action)).save()


def _find(action_id: UUID) -> BulkAction:
    action = BulkAction.objects.filter(pk=action_id).select_related("by", "stopped_by").first()
    if action is None:
        raise Http404
    return action
