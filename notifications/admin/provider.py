"""Providers: their health, and what staff may change while Limbo runs."""

from datetime import UTC, datetime
from typing import Any, TypeGuard

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin.display import badge
from notifications.admin.theme import ModelAdmin
from notifications.delivery.breaker import use_again
from notifications.delivery.provider_config import SANDBOX, parse_providers
from notifications.models import Provider


def standing(provider: Provider) -> tuple[str, str]:
    """How a provider stands, in words, and the tone to show it in."""
    if provider.name not in parse_providers(settings.LIMBO_PROVIDERS):
        return "not configured", "quiet"
    if provider.fault:
        return "off: refused our credentials", "bad"
    if not provider.enabled:
        return "off", "quiet"
    if _is_to_come(provider.closed_until):
        return "closed for a while", "doubt"
    if _is_to_come(provider.breaker_until):
        return "left alone for a while", "doubt"
    if provider.breaker_until:
        return "waits for its probe", "doubt"
    return "in use", "good"


def why(provider: Provider) -> str:
    """Why a provider stands as it does; empty when there is nothing to explain."""
    if provider.fault:
        return provider.fault
    if _is_to_come(provider.closed_until):
        return f"It asked us to wait until {_time(provider.closed_until)}."
    if _is_to_come(provider.breaker_until):
        return f"Open until {_time(provider.breaker_until)}: {provider.breaker_reason}"
    if provider.breaker_until:
        return f"The next hand-off decides: {provider.breaker_reason}"
    return ""


def _is_to_come(at: datetime | None) -> TypeGuard[datetime]:
    return at is not None and at > timezone.now()


def _time(at: datetime) -> str:
    """A time of day in UTC, with its date where that is another one."""
    is_today = at.astimezone(UTC).date() == timezone.now().astimezone(UTC).date()
    return f"{at.astimezone(UTC):{'%H:%M:%S' if is_today else '%d %b %H:%M:%S'}} UTC"


@admin.register(Provider)
class ProviderAdmin(ModelAdmin[Provider]):
    """Switch and weight. Providers are added and removed by configuration."""

    list_display = ("name", "standing_column", "weight", "why_column")
    fields = ("name", "standing_column", "enabled", "weight", "why_text")
    readonly_fields = ("name", "standing_column", "why_text")
    sortable_by = ()
    actions = ("use_again_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        """The configured ones; nothing about the sandbox can be changed."""
        return super().get_queryset(request).exclude(name=SANDBOX)

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

    @admin.display(description="Why")
    def why_text(self, provider: Provider) -> str:
        """Why it stands so, in full."""
        return why(provider) or "–"

    @admin.display(description="Why")
    def why_column(self, provider: Provider) -> SafeString:
        """The same, cut to the width of a column."""
        return format_html('<span class="lb-cut" title="{0}">{0}</span>', why(provider) or "–")

    @admin.action(description="Use again now", permissions=["change"])
    def use_again_now(self, request: HttpRequest, providers: QuerySet[Provider]) -> None:
        """Send through the chosen ones again, without a probe and whatever they asked for."""
        changed = [provider for provider in providers if use_again(provider.name)]
        for provider in changed:
            self.log_change(request, provider, "Used again now.")
        names = ", ".join(provider.name for provider in changed)
        text = f"In use again: {names}." if names else "Nothing was changed: none was closed."
        self.message_user(request, text)
