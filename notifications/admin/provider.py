"""Providers: how they fare, live, and what staff may change while Limbo runs."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from notifications.admin.provider_board import cards, test_story
from notifications.admin.provider_choices import (
    FORMS,
    SWITCHES,
    TEST,
    WEIGH,
    TestForm,
    form_for,
    send_test,
    switches_of,
)
from notifications.admin.provider_standing import takes_new
from notifications.admin.reasons import WhyForm
from notifications.admin.staff_log import told
from notifications.admin.theme import ReadOnlyAdmin
from notifications.delivery.provider_config import SANDBOX
from notifications.delivery.switches import weigh
from notifications.models import Provider, User

_FOLDER = "admin/notifications/provider"


@admin.register(Provider)
class ProviderAdmin(ReadOnlyAdmin[Provider]):
    """All of them live on one page, each with a page of its own for switches, weight and test.

    Providers are added and removed by configuration.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        """The configured ones; nothing about the sandbox can be changed."""
        return super().get_queryset(request).exclude(name=SANDBOX)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether this user may change providers; their forms are not Django's."""
        return request.user.has_perm("notifications.change_provider")

    def get_urls(self) -> list[URLPattern]:
        """Django's, the parts that are fetched again and again, and where choices are posted."""
        views = (
            ("board/", self.board_view, "board"),
            ("<int:provider_id>/live/", self.live_view, "live"),
            ("<int:provider_id>/choose/", self.choose_view, "choose"),
        )
        own = [
            path(route, self.admin_site.admin_view(view), name=f"notifications_provider_{name}")
            for route, view, name in views
        ]
        return [*own, *super().get_urls()]

    # -- all of them ---------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All providers, live."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self._context(request, "Providers"), **self._board(request)}
        return TemplateResponse(request, f"{_FOLDER}/change_list.html", context)

    def board_view(self, request: HttpRequest) -> HttpResponse:
        """The part of that page that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = f"{_FOLDER}/board.html"
        return require_GET(TemplateResponse)(request, page, self._board(request))

    def _board(self, request: HttpRequest) -> dict[str, Any]:
        return {"cards": cards(self.get_queryset(request))}

    # -- one of them ---------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One provider, live, with its switches."""
        if not self.has_view_permission(request) or request.method == "POST":
            raise PermissionDenied
        provider = self.get_object(request, object_id)
        if provider is None:
            raise Http404
        return self._page(request, provider)

    def live_view(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        """The part of that page that changes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        live = self._live(request, self._provider(request, provider_id))
        return require_GET(TemplateResponse)(request, f"{_FOLDER}/live.html", live)

    def choose_view(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        """Do what was chosen, or ask again."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        return require_POST(self._choose)(request, self._provider(request, provider_id))

    def _choose(self, request: HttpRequest, provider: Provider) -> HttpResponse:
        name = request.POST.get("choice", "")
        if name not in FORMS:
            messages.error(request, "Choose what is to be done.")
            return self._page(request, provider)
        form = form_for(name, request.POST)
        done = self._carry_out(request, provider, name, form) if form.is_valid() else None
        if done is None:
            return self._page(request, provider, **{name: form})
        return HttpResponseRedirect(done)

    def _carry_out(
        self, request: HttpRequest, provider: Provider, name: str, form: WhyForm
    ) -> str | None:
        """Do it, with its entry in the log; returns the page to go to, None for the form again."""
        page = reverse("admin:notifications_provider_change", args=[provider.pk])
        why = form.cleaned_data["why"]
        with transaction.atomic():
            if isinstance(form, TestForm):
                message_id = send_test(provider, form, by=cast("User", request.user))
                if message_id is None:
                    return None
                did = f"Sent a test message to {form.cleaned_data['to']}: {message_id}."
                page = f"{page}?{urlencode({TEST: str(message_id)})}"
            elif name == WEIGH:
                did = f"Weight {provider.weight} → {form.cleaned_data['weight']}."
                weigh(provider.name, form.cleaned_data["weight"])
            else:
                switch = next(switch for switch in SWITCHES if switch.name == name)
                if switch.run(provider.name) is False:
                    messages.warning(request, "Nothing was changed.")
                    return page
                did = switch.done
            self.log_change(request, provider, told(did, why))
        messages.success(request, did)
        return page

    # -- what the pages show -------------------------------------------------------------------

    def _provider(self, request: HttpRequest, provider_id: int) -> Provider:
        provider = self.get_queryset(request).filter(pk=provider_id).first()
        if provider is None:
            raise Http404
        return provider

    def _page(self, request: HttpRequest, provider: Provider, **bound: WhyForm) -> HttpResponse:
        """One provider's page; forms that were not valid are shown as they were filled in."""
        live = self._live(request, provider)
        context = {
            **self._context(request, provider.name),
            **live,
            "original": provider,
            "change": True,
            "show_history": True,
            "may_operate": self.has_operate_permission(request),
            "takes_new": takes_new(provider),
            "switches": switches_of(provider),
            "switch_form": next(
                (bound[s.name] for s in SWITCHES if s.name in bound), form_for("enable")
            ),
            "weight_form": bound.get(WEIGH) or form_for(WEIGH, initial={"weight": provider.weight}),
            "test_form": bound.get(TEST) or form_for(TEST, initial=_usual(request)),
        }
        return TemplateResponse(request, f"{_FOLDER}/change_form.html", context)

    def _live(self, request: HttpRequest, provider: Provider) -> dict[str, Any]:
        """What changes by itself."""
        everything = cards(self.get_queryset(request))
        card = next(card for card in everything if card.provider.pk == provider.pk)
        return {"card": card, "test": _test(request, provider)}

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "has_view_permission": True,
        }


def _usual(request: HttpRequest) -> dict[str, str]:
    """What a test message usually says."""
    address = getattr(request.user, "email", "")
    return {"to": address, "sender": address, "why": "To see whether it works"}


def _test(request: HttpRequest, provider: Provider) -> dict[str, Any] | None:
    """What came of the test message that the page was asked to show."""
    try:
        message_id = UUID(request.GET.get(TEST, ""))
    except ValueError:
        return None
    user = cast("User", request.user)
    return test_story(provider, message_id, user)
