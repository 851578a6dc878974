"""Suppressions: addresses that get no mail."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from notifications.admin.choices import counted
from notifications.admin.display import moment
from notifications.admin.reasons import answered, ask_why
from notifications.admin.staff_log import log_removals
from notifications.admin.theme import ModelAdmin, TextInput
from notifications.intake.addresses import AddressError, read_mailbox
from notifications.models import Suppression, SuppressionReason

_CONSEQUENCE = "Its owner's messages go to the address again."


class SuppressionForm(forms.ModelForm[Suppression]):
    """An address that is to get nothing more, and a note why."""

    address = forms.CharField(max_length=320, widget=TextInput)

    class Meta:
        """The reason is what it is: added by hand."""

        model = Suppression
        fields = ("owner", "address", "note")

    def clean_address(self) -> str:
        """The address in the spelling under which submissions look it up."""
        try:
            return read_mailbox(self.cleaned_data["address"]).address
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Suppression)
class SuppressionAdmin(ModelAdmin[Suppression]):
    """Staff add and remove suppressions; a wrong one is removed and added anew."""

    form = SuppressionForm
    autocomplete_fields = ("owner",)
    list_display = ("address", "owner", "reason", "note", "created_column")
    fields = ("owner", "address", "note")
    readonly_fields = ()
    list_select_related = ("owner",)
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("address__exact", "owner__username__exact")
    search_help_text = "Whole address, or owner"

    actions = ("delete_selected",)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: Suppression,
        form: forms.ModelForm[Suppression],
        change: bool,
    ) -> None:
        """Store it as one that was added by hand."""
        obj.reason = SuppressionReason.MANUAL
        super().save_model(request, obj, form, change)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Remove one, with a reason."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        rows = Suppression.objects.filter(pk=row.pk)
        return self._remove(request, rows) or HttpResponseRedirect(
            reverse("admin:notifications_suppression_changelist")
        )

    @admin.action(description="Remove", permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Suppression]
    ) -> HttpResponse | None:
        """Remove the ticked ones, with a reason."""
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        return self._remove(request, queryset.filter(pk__in=ticked), action="delete_selected")

    def _remove(
        self, request: HttpRequest, rows: QuerySet[Suppression], *, action: str = ""
    ) -> HttpResponse | None:
        """Ask why, or do it, with its entries in the log."""
        form = answered(request)
        if not form.is_valid():
            question = {"verb": "Remove", "consequence": _CONSEQUENCE, "action": action}
            return ask_why(self, request, rows, form=form, **question)
        with transaction.atomic():
            removed = list(rows.select_for_update(of=("self",)))
            log_removals(request, removed, why=form.cleaned_data["why"])
            rows.delete()
        self.message_user(request, f"{counted(len(removed), 'suppression')} removed.")
        return None

    @admin.display(description="Since")
    def created_column(self, suppression: Suppression) -> SafeString:
        """When it was added."""
        return moment(suppression.created_at)
