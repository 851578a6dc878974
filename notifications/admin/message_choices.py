"""Staff's choices as admin actions: permission, confirmation, answer, and the log of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from notifications.admin import choices
from notifications.admin.bulk_form import ChoiceForm
from notifications.admin.choices import Answer, Choice
from notifications.admin.paging import LongListAdmin
from notifications.models import Message, User
from notifications.queue.bulk_choices import Decision

FROM_PAGE = "from_page"
"""Posted by a message's own page, to come back to it."""

Action = Callable[["MessageChoices", HttpRequest, QuerySet[Message]], HttpResponse | None]


def _action(choice: Choice) -> Action:
    @admin.action(description=choice.label, permissions=["act"])
    def act(
        screen: "MessageChoices", request: HttpRequest, queryset: QuerySet[Message]
    ) -> HttpResponse | None:
        return screen.act(request, queryset, choice)

    act.__name__ = choice.name
    return act


class MessageChoices(LongListAdmin[Message]):
    """The actions of the message list; the buttons of a message's page post to them too."""

    actions = tuple(map(_action, choices.ALL))

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether this user may make choices; the pages themselves are read-only for all."""
        return _user(request).has_perm("notifications.change_message")

    def act(
        self, request: HttpRequest, queryset: QuerySet[Message], choice: Choice
    ) -> HttpResponse | None:
        """Ask before `choice` is made, or make it and say what came of it."""
        # the ids that were ticked, whatever the form says about a selection across pages
        chosen = list(queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)))
        form = ChoiceForm(choice, request.POST)
        if choice.consequence and not form.is_valid() and choice.count(chosen):
            return self._ask(request, choice, chosen, form)
        decision = Decision(_user(request))
        if form.is_valid():
            decision = Decision(_user(request), form.value("reason"), form.value("through"))
        answer = choices.carry_out(choice, [message.pk for message in chosen], decision)
        _log(choice, decision, answer, {message.pk: message for message in chosen})
        level = messages.SUCCESS if answer.changed else messages.WARNING
        self.message_user(request, answer.sentence(choice), level)
        return _way_back(request, chosen)

    def _ask(
        self, request: HttpRequest, choice: Choice, chosen: Sequence[Message], form: ChoiceForm
    ) -> HttpResponse:
        targets = choices.counted(choice.count(chosen), choice.target)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": choice.label,
            "opts": self.opts,
            "choice": choice,
            "chosen": chosen,
            "question": choice.sentence(f"{targets} of {choices.counted(len(chosen), 'message')}"),
            "form": form,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "from_page": FROM_PAGE in request.POST,
        }
        return TemplateResponse(request, "admin/notifications/message/confirm.html", context)


def _log(
    choice: Choice, decision: Decision, answer: Answer, chosen: Mapping[UUID, Message]
) -> None:
    """One entry for each message that was changed, in one statement."""
    kind = ContentType.objects.get_for_model(Message)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=decision.by,
            content_type=kind,
            object_id=str(id_),
            object_repr=str(chosen[id_])[:200],
            action_flag=CHANGE,
            change_message=_note(choice, decision, answer, id_),
        )
        for id_ in chosen
        if id_ in answer.changed
    )


def _note(choice: Choice, decision: Decision, answer: Answer, id_: UUID) -> str:
    count = answer.done[id_] + answer.suppressed[id_]
    text = f"{choice.label}: {choices.counted(count, choice.target)}"
    if decision.through:
        text += f", through {decision.through}"
    return f"{text}. Reason: {decision.reason}" if decision.reason else f"{text}."


def _way_back(request: HttpRequest, chosen: Sequence[Message]) -> HttpResponse | None:
    """To the message's page if the choice was made there; None leads back to the list."""
    if FROM_PAGE not in request.POST or len(chosen) != 1:
        return None
    page = reverse("admin:notifications_message_change", args=[chosen[0].pk])
    return HttpResponseRedirect(page)


def _user(request: HttpRequest) -> User:
    """The member of staff; the admin lets nobody else in."""
    return cast("User", request.user)
