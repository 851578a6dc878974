"""Staff's choices as admin actions: permission, confirmation, answer, and the log of them."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from notifications.admin import choices
from notifications.admin.bulk import log_bulk, noted
from notifications.admin.bulk_form import ChoiceForm
from notifications.admin.bulk_selection import Selection, selection_of
from notifications.admin.choices import Choice
from notifications.admin.paging import LongListAdmin
from notifications.admin.staff_log import entry_of, told
from notifications.models import Message, User
from notifications.queue.bulk import start_bulk
from notifications.queue.bulk_choices import Decision
from notifications.queue.choices import Result

FROM_PAGE = "from_page"
"""Posted by a message's own page, to come back to it."""

AT_ONCE = 1_000
"""More messages than this are done in the background."""

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
        """Ask before `choice` is made, or make it and say what came of it.

        For more than `AT_ONCE` messages a bulk action is begun, whose page shows how it gets on.
        """
        selection = selection_of(request, choice, self)
        form = ChoiceForm(choice, request.POST)
        asks = bool(choice.consequence) or selection.is_all
        if asks and not form.is_valid() and selection.count:
            return self._ask(request, selection, form)
        decision = Decision(_user(request))
        if form.is_valid():
            decision = Decision(_user(request), form.value("reason"), form.value("through"))
        if selection.count > AT_ONCE:
            return _begin(selection, decision)
        self._make(request, selection, decision)
        return _way_back(request)

    def _ask(self, request: HttpRequest, selection: Selection, form: ChoiceForm) -> HttpResponse:
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": selection.choice.label,
            "opts": self.opts,
            "choice": selection.choice,
            "selection": selection,
            "is_bulk": selection.count > AT_ONCE,
            # Django wants one, where it is for all
            "ticked": ticked[:1] if selection.is_all else ticked,
            "form": form,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "back": _page_of(request) or request.get_full_path(),
            "from_page": FROM_PAGE in request.POST,
        }
        return TemplateResponse(request, "admin/notifications/message/confirm.html", context)

    def _make(self, request: HttpRequest, selection: Selection, decision: Decision) -> None:
        ids = list(selection.messages.values_list("pk", flat=True)[: AT_ONCE + 1])
        answer = choices.carry_out(
            selection.choice,
            ids,
            decision,
            chosen=selection.ticked or len(ids),
            record=lambda result: _log(selection.choice, decision, result),
        )
        level = messages.SUCCESS if answer.changed else messages.WARNING
        self.message_user(request, answer.sentence(selection.choice), level)


def _begin(selection: Selection, decision: Decision) -> HttpResponse:
    """Have it done in the background, and lead to where one sees it."""
    with transaction.atomic():
        action = start_bulk(
            choice=selection.choice.name,
            decision=decision,
            messages=selection.chosen,
            whose=selection.whose,
            chosen_by=selection.chosen_by,
        )
        log_bulk(action, decision.by, noted(action))
    return HttpResponseRedirect(reverse("admin:notifications_bulkaction_change", args=[action.pk]))


def _log(choice: Choice, decision: Decision, result: Result) -> None:
    """One entry for each message that was changed, in one statement."""
    counts = Counter(result.done) + Counter(result.suppressed)
    LogEntry.objects.bulk_create(
        entry_of(message, decision.by, _note(choice, decision, counts[message.pk]))
        for message in Message.objects.filter(pk__in=list(counts))
    )


def _note(choice: Choice, decision: Decision, count: int) -> str:
    text = f"{choice.label}: {choices.counted(count, choice.target)}"
    if decision.through:
        text += f", through {decision.through}"
    return told(f"{text}.", decision.reason)


def _way_back(request: HttpRequest) -> HttpResponse | None:
    """To the message's page if the choice was made there; None leads back to the list."""
    page = _page_of(request)
    return HttpResponseRedirect(page) if page else None


def _page_of(request: HttpRequest) -> str:
    """The page of the one message that the choice was made on; empty: it was made on the list."""
    ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
    if FROM_PAGE not in request.POST or len(ticked) != 1:
        return ""
    return reverse("admin:notifications_message_change", args=ticked)


def _user(request: HttpRequest) -> User:
    """The member of staff; the admin lets nobody else in."""
    return cast("User", request.user)
