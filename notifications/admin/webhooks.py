"""Webhooks: where users want events posted, and what became of each post."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin.display import badge, moment
from notifications.admin.paging import LongListAdmin
from notifications.admin.staff_log import in_words, told
from notifications.admin.theme import (
    CheckboxSelectMultiple,
    ModelAdmin,
    TextInput,
)
from notifications.models import WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.webhooks.endpoints import (
    EVENT_TYPES,
    check_url,
    create_endpoint,
    disable,
    enable,
)
from notifications.webhooks.errors import EndpointError

_TONES = {
    WebhookState.PENDING: "busy",
    WebhookState.DELIVERED: "good",
    WebhookState.FAILED: "bad",
}


class EndpointForm(forms.ModelForm[WebhookEndpoint]):
    """Whose events go where, and which."""

    url = forms.CharField(
        label="URL", max_length=2000, widget=TextInput, help_text="It begins with https://"
    )
    kinds = forms.MultipleChoiceField(
        choices=tuple(EVENT_TYPES.items()),
        required=False,
        widget=CheckboxSelectMultiple,
        label="Events",
        help_text="None ticked: all of them.",
    )
    why = forms.CharField(
        max_length=200,
        required=False,
        widget=TextInput,
        label="Why?",
        help_text="It goes into the log of staff's actions; to switch an endpoint it is needed.",
    )

    class Meta:
        """The columns that its maker chooses."""

        model = WebhookEndpoint
        fields = ("owner", "url", "kinds", "enabled")

    def clean_url(self) -> str:
        """A URL that Limbo would call."""
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except EndpointError as error:
            raise forms.ValidationError(str(error)) from error
        return url

    def clean(self) -> dict[str, Any]:
        """Whoever switches an endpoint says why: its owner will ask."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk and "enabled" in self.changed_data and not cleaned.get("why"):
            self.add_error("why", "Say why it is switched.")
        return cleaned


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin[WebhookEndpoint]):
    """Staff make endpoints for users; the secret is shown once. One that was used stays."""

    form = EndpointForm
    autocomplete_fields = ("owner",)
    list_display = ("url", "owner", "state_column", "reason_column", "failing_column")
    list_select_related = ("owner",)
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("url", "owner__username__exact")
    search_help_text = "Part of the URL, or owner"

    def get_fields(
        self, request: HttpRequest, obj: WebhookEndpoint | None = None
    ) -> tuple[str, ...]:
        """What is chosen when it is made; afterwards how it fares too."""
        if obj is None:
            return ("owner", "url", "kinds")
        asked = ("why",) if self.has_change_permission(request, obj) else ()
        seen = self.get_readonly_fields(request, obj)[1:]
        return ("owner", "url", "kinds", "enabled", *asked, *seen)

    def get_readonly_fields(
        self, request: HttpRequest, obj: WebhookEndpoint | None = None
    ) -> tuple[str, ...]:
        """An endpoint never changes its owner: what it was given cannot be taken back."""
        if obj is None:
            return ()
        return ("owner", "disabled_reason", "failing_since", "paused_until", "created_at")

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """What was changed, in Django's words, and why."""
        changed = super().construct_change_message(request, form, formsets, add)
        why = form.cleaned_data.get("why")
        return told(in_words(changed), why) if why else changed

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: what was posted to it stays known; one that is not wanted is disabled."""
        return False

    def save_form(
        self, request: HttpRequest, form: forms.ModelForm[WebhookEndpoint], change: bool
    ) -> WebhookEndpoint:
        """Make a new endpoint; it is stored here, and `save_model` has nothing left to do."""
        edited: WebhookEndpoint = super().save_form(request, form, change)
        if change:
            return edited
        chosen = {name: form.cleaned_data[name] for name in ("owner", "url", "kinds")}
        endpoint, secret = create_endpoint(**chosen)
        endpoint.plain = secret  # type: ignore[attr-defined] # lives for this answer alone
        return endpoint

    def save_model(
        self,
        request: HttpRequest,
        obj: WebhookEndpoint,
        form: forms.ModelForm[WebhookEndpoint],
        change: bool,
    ) -> None:
        """Save what was changed in the form, and no other column: posts go on meanwhile."""
        if not change:
            return
        columns = [name for name in ("url", "kinds") if name in form.changed_data]
        if columns:
            obj.save(update_fields=columns)
        if "enabled" in form.changed_data:
            if obj.enabled:
                enable(obj)
            else:
                disable(obj, reason=f"Switched off by {request.user}.")

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret, this once: no redirect, for then it would have to be kept somewhere."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Webhook endpoint created",
            "opts": self.opts,
            "endpoint": obj,
            "plain": obj.plain,
        }
        template = "admin/notifications/webhookendpoint/created.html"
        return TemplateResponse(request, template, context)

    @admin.display(description="State")
    def state_column(self, endpoint: WebhookEndpoint) -> SafeString:
        """Whether it is given events, and takes them."""
        if not endpoint.enabled:
            return badge("off", "bad")
        return badge("failing", "doubt") if endpoint.failing_since else badge("in use", "good")

    @admin.display(description="Why off")
    def reason_column(self, endpoint: WebhookEndpoint) -> SafeString:
        """Why it gets nothing."""
        reason = endpoint.disabled_reason or "–"
        return format_html('<span class="lb-cut" title="{0}">{0}</span>', reason)

    @admin.display(description="Failing since")
    def failing_column(self, endpoint: WebhookEndpoint) -> SafeString:
        """Since when it takes nothing."""
        return moment(endpoint.failing_since)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LongListAdmin[WebhookDelivery]):
    """Every post, newest first."""

    list_display = (
        "event_id",
        "endpoint",
        "state_column",
        "attempts",
        "last_status",
        "answer_column",
        "due_column",
        "created_column",
    )
    fields = (
        "id",
        "endpoint",
        "event_id",
        "state_column",
        "attempts",
        "due_at",
        "last_status",
        "last_answer",
        "created_at",
        "delivered_at",
    )
    list_select_related = ("endpoint",)

    @admin.display(description="State")
    def state_column(self, post: WebhookDelivery) -> SafeString:
        """How far it is."""
        state = WebhookState(post.state)
        return badge(state.label, _TONES[state])

    @admin.display(description="Last answer")
    def answer_column(self, post: WebhookDelivery) -> SafeString:
        """How the last try ended."""
        return format_html('<span class="lb-cut" title="{0}">{0}</span>', post.last_answer or "–")

    @admin.display(description="Next try")
    def due_column(self, post: WebhookDelivery) -> SafeString:
        """When it is tried next."""
        return moment(post.due_at)

    @admin.display(description="Since")
    def created_column(self, post: WebhookDelivery) -> SafeString:
        """When it was queued."""
        return moment(post.created_at)
