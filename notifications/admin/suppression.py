"""Suppressions: addresses that get no mail."""

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from notifications.admin.display import moment
from notifications.admin.removal import RemovalAdmin
from notifications.admin.theme import TextInput
from notifications.intake.addresses import AddressError, read_mailbox
from notifications.models import Suppression, SuppressionReason


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
class SuppressionAdmin(RemovalAdmin[Suppression]):
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

    noun = "suppression"
    consequence = "Its owner's messages go to the address again."

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

    @admin.display(description="Since")
    def created_column(self, suppression: Suppression) -> SafeString:
        """When it was added."""
        return moment(suppression.created_at)
