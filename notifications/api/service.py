"""The addresses that need no token: greeting, probes, metrics, schema; and what is not there."""

from collections.abc import Iterable
from typing import Any, NoReturn

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views import defaults
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.api.auth import HasToken
from notifications.api.base import ApiView
from notifications.api.problems import PROBLEM_JSON, Problem
from notifications.api.readiness import find_faults
from notifications.api.serializers import ProblemSerializer


class AnyAccept(BaseContentNegotiation):
    """Answers in the one form there is: a probe asks for a status, not for a form."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The only parser."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The only renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class OpenView(APIView):
    """A view for everyone: no token, no line in the request log."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = AnyAccept
    http_method_names = ("get", "head")


def _says(name: str, word: str) -> dict[str, Any]:
    """The schema of an answer with one fixed member."""
    return {"type": "object", "required": [name], "properties": {name: {"const": word}}}


class HelloView(OpenView):
    """`/`."""

    @extend_schema(operation_id="hello", summary="Greet", responses={200: _says("hello", "world")})
    def get(self, request: Request) -> HttpResponseBase:
        """Greet a program; lead a browser to the user's pages."""
        answer: HttpResponseBase = Response({"hello": "world"})
        if _prefers(request, "text/html"):
            answer = redirect("web:messages")
        answer.headers["Vary"] = "Accept"
        return answer


class HealthView(OpenView):
    """`/health`."""

    @extend_schema(
        operation_id="health", summary="Am I alive?", responses={200: _says("health", "ok")}
    )
    def get(self, request: Request) -> Response:
        """The process answers; nothing else is asked."""
        return Response({"health": "ok"})


class ReadyView(OpenView):
    """`/ready`."""

    @extend_schema(
        operation_id="ready",
        summary="Can messages be taken and sent?",
        responses={
            200: _says("ready", "ok"),
            (503, PROBLEM_JSON): OpenApiResponse(ProblemSerializer, description="What is wrong."),
        },
    )
    def get(self, request: Request) -> Response:
        """Database, migrations, and a worker that makes progress."""
        faults = find_faults()
        if not faults:
            return Response({"ready": "ok"})
        errors = [{"detail": detail, "code": name} for name, detail in faults.items()]
        return Problem(503, "unavailable", errors[0]["detail"], errors).response()


class MetricsView(OpenView):
    """`/metrics`."""

    @extend_schema(
        operation_id="metrics",
        summary="Metrics in Prometheus' text format",
        responses={
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "application/json"): _says("metrics", "ok"),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The process's metrics; a client that prefers JSON learns that they are there."""
        if _prefers(request, "application/json", "text/plain"):
            return Response({"metrics": "ok"})
        answer: HttpResponseBase = ExportToDjangoView(request)
        return answer


class SchemaView(ApiView, SpectacularAPIView):
    """`/v1/schema`: how to use the API is no secret, so it needs no token."""

    permission_classes = (AllowAny,)
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]
    http_method_names = ("get", "head")


class NothingView(ApiView):
    """Any other address below `/v1/`: a problem as well, and only for who has a token."""

    permission_classes = (HasToken,)
    schema = None

    @property
    def default_response_headers(self) -> dict[str, str]:
        """No `Allow`: nothing is allowed where nothing is."""
        return {}

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        """Say that nothing is there, whatever the method."""
        raise Http404


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The project's handler for 404: a page for a browser, a problem for a program."""
    if _is_for_people(request):
        return defaults.page_not_found(request, exception)
    return Problem.of_status(404, "There is no such resource.").plain_response()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The project's handler for 400."""
    if _is_for_people(request):
        return defaults.bad_request(request, exception)
    return Problem.of_status(400, "The request could not be read.").plain_response()


def server_error(request: HttpRequest) -> HttpResponseBase:
    """The project's handler for 500."""
    if _is_for_people(request):
        return defaults.server_error(request)
    detail = "This is our fault, and was written down."
    return Problem(500, "internal-error", detail).plain_response()


def _is_for_people(request: HttpRequest) -> bool:
    """Whether the answer is a page; below `/v1/` it never is."""
    return _prefers(request, "text/html") and not request.path_info.startswith("/v1")


def _prefers(request: HttpRequest | Request, wanted: str, *others: str) -> bool:
    """Whether the client names `wanted` and likes it better than JSON or `others`."""
    offered = [*(others or ("application/json",)), wanted]
    return request.get_preferred_type(offered) == wanted
