"""`/v1/requests`: the user's own request log."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of
from notifications.api.base import ApiView
from notifications.api.paging import PAGE_PARAMETERS, LatestFirst, refuse_unknown_parameters
from notifications.api.schema import problems
from notifications.api.serializers import RequestSerializer
from notifications.models import RequestLog


class RequestsView(ApiView, ListAPIView[RequestLog]):
    """Every request that came with one of the user's tokens."""

    serializer_class = RequestSerializer
    pagination_class = LatestFirst
    queryset = RequestLog.objects.none()
    http_method_names = ("get", "head")

    def get_queryset(self) -> QuerySet[RequestLog]:
        """The user's own."""
        return RequestLog.objects.filter(owner=owner_of(self.request))

    @extend_schema(
        operation_id="list_requests",
        summary="List one's requests, newest first",
        responses={200: RequestSerializer(many=True), **problems(400, 401, 403, 503)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The requests, refused ones too, page by page."""
        refuse_unknown_parameters(request.query_params, PAGE_PARAMETERS)
        return super().get(request, *args, **kwargs)
