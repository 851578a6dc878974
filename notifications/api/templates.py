"""`/v1/templates`: keep templates, and see what one would say."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of
from notifications.api.base import ApiView
from notifications.api.keeping import kept
from notifications.api.paging import PAGE_PARAMETERS, NewestFirst, refuse_unknown_parameters
from notifications.api.parameters import whole_number
from notifications.api.parsers import refuse_unknown_length
from notifications.api.schema import IDEMPOTENCY_KEY, problems
from notifications.api.template_schema import CHANGES, NEW_TEMPLATE, PREVIEW, REFERENCE, VERSION
from notifications.api.template_serializers import (
    PreviewSerializer,
    TemplateDetailSerializer,
    TemplateSerializer,
    VersionSerializer,
    template_url,
)
from notifications.intake.templates.drafts import read_changes, read_new_template
from notifications.intake.templates.keeping import (
    change_template,
    create_template,
    delete_template,
    named,
    versions_of,
)
from notifications.intake.templates.preview import MAX_NUMBER, preview, read_preview
from notifications.models import Scope, Template, TemplateVersion

_BODY = (411, 413, 415)


class TemplatesView(ApiView, ListAPIView[Template]):
    """The user's templates."""

    serializer_class = TemplateSerializer
    pagination_class = NewestFirst
    queryset = Template.objects.none()
    scope_to_write = Scope.MANAGE
    http_method_names = ("get", "head", "post")

    def get_queryset(self) -> QuerySet[Template]:
        """The user's own."""
        return Template.objects.owned_by(owner_of(self.request))

    @extend_schema(
        operation_id="list_templates",
        summary="List one's templates, newest first",
        responses={200: TemplateSerializer(many=True), **problems(400, 401, 403, 503)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The templates, without what they say, page by page."""
        refuse_unknown_parameters(request.query_params, PAGE_PARAMETERS)
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_template",
        summary="Create a template",
        parameters=[IDEMPOTENCY_KEY],
        request=NEW_TEMPLATE,
        responses={
            201: OpenApiResponse(TemplateDetailSerializer, description="It can be sent by."),
            **problems(400, 401, 403, 409, *_BODY, 422, 503),
        },
    )
    @kept
    def post(self, request: Request) -> Response:
        """Store a template. Its sources are checked now, not only when mail is sent."""
        refuse_unknown_length(request.headers)
        draft = read_new_template(request.data)
        version = create_template(owner=owner_of(request), draft=draft)
        headers = {"Location": template_url(version.template_id)}
        return Response(TemplateDetailSerializer(version).data, 201, headers=headers)


class TemplateView(ApiView):
    """One template."""

    scope_to_write = Scope.MANAGE
    http_method_names = ("get", "head", "patch", "delete")

    @extend_schema(
        operation_id="read_template",
        summary="Read a template",
        parameters=[REFERENCE, VERSION],
        responses={200: TemplateDetailSerializer, **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, template: str) -> Response:
        """The template with what its current version says, or an earlier one."""
        refuse_unknown_parameters(request.query_params, ["version"])
        number = whole_number(request, "version", default=0, least=1, most=MAX_NUMBER)
        versions = versions_of(owner_of(request), template, number or None)
        version = get_object_or_404(versions.select_related("template"))
        return Response(TemplateDetailSerializer(version).data)

    @extend_schema(
        operation_id="change_template",
        summary="Change a template",
        parameters=[REFERENCE],
        request=CHANGES,
        responses={
            200: TemplateDetailSerializer,
            **problems(400, 401, 403, 404, 409, *_BODY, 422, 503),
        },
    )
    def patch(self, request: Request, template: str) -> Response:
        """Change what is given. Another subject or body makes a new version, the current one."""
        refuse_unknown_length(request.headers)
        draft = read_changes(request.data)
        version = change_template(owner=owner_of(request), reference=template, draft=draft)
        if version is None:
            raise Http404
        return Response(TemplateDetailSerializer(version).data)

    @extend_schema(
        operation_id="delete_template",
        summary="Delete a template",
        parameters=[REFERENCE],
        responses={
            204: OpenApiResponse(description="It is gone; what was sent by it stays."),
            **problems(401, 403, 404, 503),
        },
    )
    def delete(self, request: Request, template: str) -> Response:
        """Let nobody send by it any more, and free its name."""
        if not delete_template(owner=owner_of(request), reference=template):
            raise Http404
        return Response(status=204)


class HighestFirst(NewestFirst):
    """Versions, the current one first."""

    ordering = "-number"
    key_pattern = "[1-9][0-9]{0,8}"


class TemplateVersionsView(ApiView, ListAPIView[TemplateVersion]):
    """A template's versions."""

    serializer_class = VersionSerializer
    pagination_class = HighestFirst
    queryset = TemplateVersion.objects.none()
    http_method_names = ("get", "head")

    def get_queryset(self) -> QuerySet[TemplateVersion]:
        """The versions; another user's template is not there."""
        owned = Template.objects.owned_by(owner_of(self.request))
        template = get_object_or_404(owned.filter(named(self.kwargs["template"])))
        return TemplateVersion.objects.filter(template=template)

    @extend_schema(
        operation_id="list_template_versions",
        summary="List a template's versions, the current one first",
        parameters=[REFERENCE],
        responses={200: VersionSerializer(many=True), **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The versions, page by page."""
        refuse_unknown_parameters(request.query_params, PAGE_PARAMETERS)
        return super().get(request, *args, **kwargs)


class TemplatePreviewView(ApiView):
    """What a template would say."""

    # it changes nothing
    scope_to_write = Scope.READ
    http_method_names = ("post",)

    @extend_schema(
        operation_id="preview_template",
        summary="Preview a template",
        parameters=[REFERENCE, IDEMPOTENCY_KEY],
        request=PREVIEW,
        responses={200: PreviewSerializer, **problems(400, 401, 403, 404, 409, *_BODY, 422, 503)},
    )
    @kept
    def post(self, request: Request, template: str) -> Response:
        """Render a template as a submission would, and send nothing."""
        refuse_unknown_length(request.headers)
        asked = read_preview(request.data)
        shown = preview(owner=owner_of(request), reference=template, request=asked)
        if shown is None:
            raise Http404
        return Response(PreviewSerializer(shown).data)
