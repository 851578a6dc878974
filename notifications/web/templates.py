"""The pages of one's templates: the list, one with its versions, making, changing, deleting."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from notifications.intake.errors import NameTakenError, RefusedRequestError
from notifications.intake.templates.drafts import read_changes, read_new_template
from notifications.intake.templates.keeping import (
    change_template,
    create_template,
    delete_template,
    versions_of,
)
from notifications.intake.templates.words import FILTERS
from notifications.models import Template, TemplateVersion, User
from notifications.web.paging import CursorForm, NumberCursorForm, stretch_of, what_was_read
from notifications.web.template_forms import TemplateForm, VersionForm, initial_of, sample_json
from notifications.web.views import SignedInRequest

PAGE = 25
"""Templates on a page of the list."""

VERSIONS = 10
"""Versions on a page of one template."""


@never_cache
@require_safe
@login_required
def template_list(request: SignedInRequest) -> HttpResponse:
    """The user's own templates, newest first."""
    owned = Template.objects.owned_by(request.user)
    cursor = what_was_read(CursorForm(request.GET))
    page = stretch_of(owned, cursor, key="id", size=PAGE, field="id")
    return render(request, "web/templates.html", {"page": page, "is_first": not cursor})


@never_cache
@require_safe
@login_required
def template_page(request: SignedInRequest, template_id: UUID) -> HttpResponse:
    """One of the user's own templates: what a version says, and which versions there are."""
    version = get_object_or_404(asked_version(request, template_id))
    versions = stretch_of(
        TemplateVersion.objects.filter(template_id=template_id),
        what_was_read(NumberCursorForm(request.GET)),
        key="number",
        size=VERSIONS,
        field="number",
    )
    context = {
        "template": version.template,
        "version": version,
        "page": versions,
        "base_url": settings.LIMBO_BASE_URL,
        # within the quotes of a shell
        "sample": sample_json(version).replace("'", "\\u0027").replace("\n", "\n    "),
    }
    return render(request, "web/template.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def template_new(request: SignedInRequest) -> HttpResponse:
    """A form for a template that is not there yet."""

    def save(form: TemplateForm) -> TemplateVersion | None:
        draft = read_new_template(form.draft_fields())
        return create_template(owner=request.user, draft=draft)

    return _form_page(request, save, {})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def template_edit(request: SignedInRequest, template_id: UUID) -> HttpResponse:
    """A form to change one of the user's own templates, filled with what a version says."""
    version = get_object_or_404(asked_version(request, template_id))

    def save(form: TemplateForm) -> TemplateVersion | None:
        draft = read_changes(form.changes())
        return change_template(owner=request.user, reference=str(template_id), draft=draft)

    return _form_page(request, save, {"template": version.template, "version": version})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def template_delete(request: SignedInRequest, template_id: UUID) -> HttpResponse:
    """Ask whether one of the user's own templates is to be deleted, and delete it."""
    template = get_object_or_404(Template.objects.owned_by(request.user), id=template_id)
    if request.method == "POST":
        delete_template(owner=request.user, reference=str(template_id))
        return redirect("web:templates")
    return render(request, "web/template_delete.html", {"template": template})


def asked_version(request: SignedInRequest, template_id: UUID) -> QuerySet[TemplateVersion]:
    """The version of the user's own template that `?version=` names, or the current one."""
    form = VersionForm(request.GET)
    form.is_valid()  # what names none is the current one
    return own_version(request.user, template_id, form)


def own_version(owner: User, template_id: UUID, form: VersionForm) -> QuerySet[TemplateVersion]:
    """The version that a form asks for, with its template."""
    number = form.cleaned_data.get("version")
    return versions_of(owner, str(template_id), number).select_related("template")


def _form_page(
    request: HttpRequest,
    save: Callable[[TemplateForm], TemplateVersion | None],
    context: dict[str, Any],
) -> HttpResponse:
    """The form; once it can be saved, the template's page."""
    version = context.get("version")
    form = TemplateForm(request.POST or None, initial=initial_of(version) if version else None)
    if form.is_valid():
        try:
            saved = save(form)
        except NameTakenError:
            form.add_error("name", "You have another template of this name.")
        except RefusedRequestError as error:
            form.tell(error.faults)
        else:
            if saved is None:  # deleted meanwhile
                raise Http404
            return redirect("web:template", saved.template_id)
    context = {**context, "form": form, "filters": sorted(FILTERS)}
    return render(request, "web/template_form.html", context)
