"""Providers: their health, and what staff may change while Limbo runs."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin.display import badge, moment
from notifications.admin.theme import ModelAdmin
from notifications.delivery.provider_config import parse_providers
from notifications.models import Provider


def standing(provider: Provider) -> tuple[str, str]:
    """How a provider stands, in words, and the tone to show it in."""
    if provider.name not in parse_providers(settings.LIMBO_PROVIDERS):
        return "not configured", "quiet"
    if provider.fault:
        return "off: refused our credentials", "bad"
    if not provider.enabled:
        return "off", "quiet"
    if provider.closed_until and provider.closed_until > timezone.now():
        return "closed for a while", "doubt"
    return "in use", "good"


@admin.register(Provider)
class ProviderAdmin(ModelAdmin[Provider]):
    """Switch and weight. Providers are added and removed by configuration."""

    list_display = ("name", "standing_column", "weight", "closed_column", "fault_column")
    fields = ("name", "standing_column", "enabled", "weight", "fault", "closed_column")
    readonly_fields = ("name", "standing_column", "fault", "closed_column")
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: it is configuration."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: hand-offs of the past name it."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Provider, form: forms.ModelForm[Provider], change: Any
    ) -> None:
        """Save what was changed in the form; to enable a provider clears its fault.

        Only those columns: a worker may have noted a fault since the page was opened.
        """
        changed = [name for name in form.changed_data if name in {"enabled", "weight"}]
        if "enabled" in changed and obj.enabled:
            obj.fault = ""
            changed.append("fault")
        obj.save(update_fields=changed)

    @admin.display(description="State")
    def standing_column(self, provider: Provider) -> SafeString:
        """How it stands."""
        return badge(*standing(provider))

    @admin.display(description="Closed until")
    def closed_column(self, provider: Provider) -> SafeString:
        """Until when it asked us to wait; times that are over say nothing."""
        is_closed = provider.closed_until and provider.closed_until > timezone.now()
        return moment(provider.closed_until if is_closed else None)

    @admin.display(description="Fault")
    def fault_column(self, provider: Provider) -> SafeString:
        """Why Limbo switched it off."""
        return format_html('<span class="lb-cut" title="{0}">{0}</span>', provider.fault or "–")
