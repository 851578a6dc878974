"""Staff's choices as admin actions: permission, confirmation, answer, and the log of them."""

from collections.abc import Sequence
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from notifications.admin import choices
from notifications.admin.choices import Choice
from notifications.admin.paging import LongListAdmin
from notifications.admin.theme import TextInput
from notifications.models import Message, User

FROM_PAGE = "from_page"
"""Posted by a message's own page, to come back to it."""

_CONFIRMED = "confirmed"


class ReasonForm(forms.Form):
    """Why staff make a choice; it goes into the history."""

    reason = forms.CharField(
        max_length=200,
        widget=TextInput(attrs={"autofocus": True}),
        help_text="It is kept in the message's history.",
    )


class MessageChoices(LongListAdmin[Message]):
    """The actions of the message list; the buttons of a message's page post to them too."""

    actions = ("retry_now", "requeue", "cancel")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether this user may make choices; the pages themselves are read-only for all."""
        return _user(request).has_perm("notifications.change_message")

    @admin.action(description=choices.RETRY.label, permissions=["act"])
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        """Make waiting deliveries due at once."""
        return self._act(request, queryset, choices.RETRY)

    @admin.action(description=choices.REQUEUE.label, permissions=["act"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        """Send dead letters again, with a reason."""
        return self._act(request, queryset, choices.REQUEUE)

    @admin.action(description=choices.CANCEL.label, permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        """Stop what no provider has been given yet."""
        return self._act(request, queryset, choices.CANCEL)

    def _act(
        self, request: HttpRequest, queryset: QuerySet[Message], choice: Choice
    ) -> HttpResponse | None:
        # the ids that were ticked, whatever the form says about a selection across pages
        chosen = list(queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)))
        form = ReasonForm(request.POST if _CONFIRMED in request.POST else None)
        if self._must_ask(choice, chosen, form):
            return self._ask(request, choice, chosen, form)
        reason = form.cleaned_data["reason"] if choice.asks_reason and form.is_valid() else ""
        self._carry_out(request, choice, chosen, reason)
        return _way_back(request, chosen)

    def _must_ask(self, choice: Choice, chosen: Sequence[Message], form: ReasonForm) -> bool:
        agreed = form.is_bound and (form.is_valid() or not choice.asks_reason)
        return bool(choice.consequence) and not agreed and choice.count(chosen) > 0

    def _ask(
        self, request: HttpRequest, choice: Choice, chosen: Sequence[Message], form: ReasonForm
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": choice.label,
            "opts": self.opts,
            "choice": choice,
            "chosen": chosen,
            "what": choices.counted(choice.count(chosen), choice.target),
            "whose": choices.counted(len(chosen), "message"),
            "form": form,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "from_page": FROM_PAGE in request.POST,
        }
        return TemplateResponse(request, "admin/notifications/message/confirm.html", context)

    def _carry_out(
        self, request: HttpRequest, choice: Choice, chosen: Sequence[Message], reason: str
    ) -> None:
        answer = choices.carry_out(choice, chosen, by=_user(request), reason=reason)
        for message, count in answer.changed.items():
            note = f"{choice.label}: {choices.counted(count, choice.target)}."
            self.log_change(request, message, f"{note} Reason: {reason}" if reason else note)
        level = messages.SUCCESS if answer.changed else messages.WARNING
        self.message_user(request, answer.sentence(choice), level)


def _way_back(request: HttpRequest, chosen: Sequence[Message]) -> HttpResponse | None:
    """To the message's page if the choice was made there; None leads back to the list."""
    if FROM_PAGE not in request.POST or len(chosen) != 1:
        return None
    page = reverse("admin:notifications_message_change", args=[chosen[0].pk])
    return HttpResponseRedirect(page)


def _user(request: HttpRequest) -> User:
    """The member of staff; the admin lets nobody else in."""
    return cast("User", request.user)
