"""Asking staff why, before something is done that cannot be undone."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

from notifications.admin.theme import ModelAdmin, TextInput

CONFIRMED = "post"
"""Posted by the question's own form, by the name that Django's confirmations have."""


class WhyForm(forms.Form):
    """Why staff do something; it goes into the log of their actions."""

    why = forms.CharField(max_length=200, label="Why?", widget=TextInput)


def answered(request: HttpRequest) -> WhyForm:
    """The question's form: empty until it was posted."""
    return WhyForm(request.POST if CONFIRMED in request.POST else None)


def ask_why(
    model_admin: ModelAdmin[Any],
    request: HttpRequest,
    rows: Iterable[Model],
    *,
    form: WhyForm,
    verb: str,
    consequence: str,
    action: str = "",
    back: str = "",
    called: Callable[[Any], str] = str,
) -> TemplateResponse:
    """Ask why `verb` is to be done to `rows`: by the list's `action`, or on the page itself.

    Who does not want it after all is led `back`, to the list if no other address is given.
    """
    opts = model_admin.opts
    context = {
        **model_admin.admin_site.each_context(request),
        "title": verb,
        "opts": opts,
        "rows": rows,
        "names": [called(row) for row in rows],
        "form": form,
        "verb": verb,
        "consequence": consequence,
        "action": action,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
        "back": back or reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
    return TemplateResponse(request, "admin/limbo/why.html", context)
