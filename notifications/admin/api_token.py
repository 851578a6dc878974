"""API tokens: who has one, making one, ending one. The token itself is shown once."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString

from notifications.admin.choices import counted
from notifications.admin.display import badge, moment
from notifications.admin.reasons import answered, ask_why
from notifications.admin.staff_log import told
from notifications.admin.theme import CheckboxSelectMultiple, ModelAdmin
from notifications.intake.tokens import USUAL_SCOPES, issue_token, revoke
from notifications.models import ApiToken, Scope

_END = "From now on no request with it is taken; it cannot be used again."


class TokenForm(forms.ModelForm[ApiToken]):
    """What a new token is for and may do."""

    scopes = forms.MultipleChoiceField(
        choices=Scope,
        initial=USUAL_SCOPES,
        widget=CheckboxSelectMultiple,
        label="May",
    )

    class Meta:
        """The columns that its maker chooses."""

        model = ApiToken
        fields = ("owner", "name", "scopes", "is_test", "expires_at")

    def clean_expires_at(self) -> Any:
        """A token that has ended already would be of no use."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is not None and expires_at <= timezone.now():
            raise forms.ValidationError("This time is over.")
        return expires_at


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin[ApiToken]):
    """Tokens are made and revoked, never changed or removed."""

    form = TokenForm
    autocomplete_fields = ("owner",)
    list_display = (
        "name",
        "prefix_column",
        "owner",
        "state_column",
        "created_column",
        "expires_column",
        "used_column",
    )
    fields = ("name", "owner", "scopes", "is_test", "expires_at")
    list_select_related = ("owner",)
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("prefix__startswith", "name", "owner__username")
    search_help_text = "Prefix, name or owner"
    actions = ("revoke_tokens",)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """What is chosen when it is made; afterwards what became of it too."""
        if obj is None:
            return self.fields
        seen = ("prefix_column", "state_column", "created_column", "expires_column", "used_column")
        return ("name", "owner", "scopes", "is_test", *seen)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[str, ...]:
        """Nothing of a token can be changed."""
        return () if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: whoever was given a token knows what it may do."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: a revoked token stays known."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether this user may end tokens."""
        return request.user.has_perm("notifications.change_apitoken")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form, with one button: its answer is the token."""
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**(extra_context or {}), **buttons})

    def save_form(
        self, request: HttpRequest, form: forms.ModelForm[ApiToken], change: bool
    ) -> ApiToken:
        """Make the token; it is stored here, and `save_model` has nothing left to do."""
        super().save_form(request, form, change)
        token, plain = issue_token(**form.cleaned_data)
        token.plain = plain  # type: ignore[attr-defined] # lives for this answer alone
        return token

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: forms.ModelForm[ApiToken], change: bool
    ) -> None:
        """Nothing: `issue_token` has stored it."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the token, this once: no redirect, for then it would have to be kept somewhere."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Token created",
            "opts": self.opts,
            "token": obj,
            "plain": obj.plain,
        }
        return TemplateResponse(request, "admin/notifications/apitoken/created.html", context)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke_tokens(
        self, request: HttpRequest, queryset: QuerySet[ApiToken]
    ) -> HttpResponse | None:
        """End the ticked tokens now, with a reason."""
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        live = list(queryset.filter(pk__in=ticked, revoked_at=None))
        form = answered(request)
        if live and not form.is_valid():
            return ask_why(
                self,
                request,
                live,
                form=form,
                verb="Revoke",
                consequence=_END,
                action="revoke_tokens",
            )
        for token in live:
            with transaction.atomic():
                self.log_change(request, token, told("Revoked.", form.cleaned_data["why"]))
                revoke(token)
        level = messages.SUCCESS if live else messages.WARNING
        self.message_user(request, f"{counted(len(live), 'token')} revoked.", level)
        return None

    @admin.display(description="Token")
    def prefix_column(self, token: ApiToken) -> str:
        """Its first characters."""
        return f"{token.prefix}…"

    @admin.display(description="State")
    def state_column(self, token: ApiToken) -> SafeString:
        """Whether it opens the API."""
        if token.revoked_at is not None:
            return badge("revoked", "quiet")
        if not token.is_valid(now=timezone.now()):
            return badge("expired", "quiet")
        return badge("valid", "good")

    @admin.display(description="Created")
    def created_column(self, token: ApiToken) -> SafeString:
        """When it was made."""
        return moment(token.created_at)

    @admin.display(description="Expires")
    def expires_column(self, token: ApiToken) -> SafeString:
        """When it ends by itself."""
        return moment(token.expires_at)

    @admin.display(description="Last used")
    def used_column(self, token: ApiToken) -> SafeString:
        """When it last opened the API, to the minute."""
        return moment(token.last_used_at)
