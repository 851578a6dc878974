"""What one's template would say, and its HTML in a frame in which nothing can run."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST

from notifications.intake.errors import RefusedRequestError
from notifications.intake.templates.preview import Preview, preview, read_preview
from notifications.policy import FRAMED, HEADER, PAGES
from notifications.web.template_forms import PreviewForm, sample_json
from notifications.web.templates import asked_version, own_version
from notifications.web.views import SignedInRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def template_preview(request: SignedInRequest, template_id: UUID) -> HttpResponse:
    """A form for variables; with them, what one of the user's own templates says."""
    if request.method == "POST":
        form = PreviewForm(request.POST)
        form.is_valid()
        version = get_object_or_404(own_version(request.user, template_id, form))
    else:
        version = get_object_or_404(asked_version(request, template_id))
        initial = {"variables": sample_json(version), "version": request.GET.get("version")}
        form = PreviewForm(initial=initial)
    context: dict[str, Any] = {"template": version.template, "version": version, "form": form}
    if form.is_bound:
        context["preview"] = _shown(request, template_id, form)
    answer = render(request, "web/template_preview.html", context)
    answer.headers[HEADER] = f"{PAGES}; frame-src 'self'"
    return answer


@never_cache
@require_POST
@xframe_options_sameorigin
@login_required
def template_frame(request: SignedInRequest, template_id: UUID) -> HttpResponse:
    """The HTML that the template renders, for the frame on the page of its preview."""
    form = PreviewForm(request.POST)
    shown = _shown(request, template_id, form)
    if shown is None:
        problem = "It cannot be rendered any more. Preview it again to see why."
        answer = HttpResponse(problem, status=422, content_type="text/plain; charset=utf-8")
    else:
        answer = HttpResponse(shown.rendered.html)
    answer.headers[HEADER] = FRAMED
    return answer


def _shown(request: SignedInRequest, template_id: UUID, form: PreviewForm) -> Preview | None:
    """What the template says, or None with the reasons in the form. Raises Http404."""
    if not form.is_valid():
        return None
    try:
        asked = read_preview(form.asked())
        shown = preview(owner=request.user, reference=str(template_id), request=asked)
    except RefusedRequestError as error:
        form.tell(error.faults)
        return None
    if shown is None:
        raise Http404
    return shown
