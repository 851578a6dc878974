"""The pages about problems: where a problem's `type` leads."""

import json
import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from notifications.api.problem_kinds import KINDS, Kind
from notifications.api.problems import Problem

_EXAMPLE_ID = "01997a3c-5d1e-7b62-9c55-3f4be0a8d1c7"


@require_safe
def problem_list(request: HttpRequest) -> HttpResponse:
    """`/docs/errors`: every kind of problem."""
    return render(request, "docs/errors.html", {"kinds": KINDS})


@require_safe
def problem_page(request: HttpRequest, kind: str) -> HttpResponse:
    """`/docs/errors/<kind>`: its cause, what to do, and an example."""
    known = KINDS.get(kind)
    if known is None:
        raise Http404
    context = {
        "name": kind,
        "kind": known,
        "cause": _with_code(known.cause),
        "remedy": _with_code(known.remedy),
        "example": json.dumps(example_of(kind, known), indent=2, ensure_ascii=False),
    }
    return render(request, "docs/error.html", context)


def example_of(name: str, kind: Kind) -> dict[str, object]:
    """The members of a problem of the kind, with an invented `request_id`."""
    problem = Problem(kind.statuses[0], name, kind.detail, kind.errors)
    return {**problem.body(), "request_id": _EXAMPLE_ID}


def _with_code(text: str) -> SafeString:
    """`text` as HTML, with what stands in backquotes as code."""
    # escaped first: nothing but our own element is left to be safe about
    return mark_safe(re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text)))  # noqa: S308
