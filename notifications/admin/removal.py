"""Screens whose rows are removed with a reason, from the list or from a row's own page."""

from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from notifications.admin.choices import counted
from notifications.admin.reasons import answered, ask_why
from notifications.admin.staff_log import log_removals
from notifications.admin.theme import ModelAdmin

M = TypeVar("M", bound=Model)


class RemovalAdmin(ModelAdmin[M]):
    """Asks why, removes, and writes an entry for each row."""

    noun: str
    """What a row is, in the singular."""
    consequence: str
    """What follows from its removal, said before it."""

    actions = ("delete_selected",)

    def called(self, row: M) -> str:
        """What a row is called in the question, and in the log when it is gone."""
        return str(row)

    def remove(self, rows: QuerySet[M]) -> None:
        """Remove them, and what goes with them."""
        rows.delete()

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Remove one."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        rows = self.get_queryset(request).filter(pk=row.pk)
        to_list = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return self._remove(request, rows) or HttpResponseRedirect(to_list)

    @admin.action(description="Remove", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[M]) -> HttpResponse | None:
        """Remove the ticked ones; none of them if one may not be removed."""
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        rows = queryset.filter(pk__in=ticked)
        if not all(self.has_delete_permission(request, row) for row in rows):
            raise PermissionDenied
        return self._remove(request, rows, action="delete_selected")

    def _remove(
        self, request: HttpRequest, rows: QuerySet[M], *, action: str = ""
    ) -> HttpResponse | None:
        form = answered(request)
        if not form.is_valid():
            return ask_why(
                self,
                request,
                rows,
                form=form,
                verb="Remove",
                consequence=self.consequence,
                action=action,
                called=self.called,
            )
        with transaction.atomic():
            removed = list(rows.select_for_update(of=("self",)))
            why = form.cleaned_data["why"]
            log_removals(request, ((self.called(row), row) for row in removed), why=why)
            self.remove(rows)
        self.message_user(request, f"{counted(len(removed), self.noun)} removed.")
        return None
