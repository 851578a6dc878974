"""`/v1/tokens`: make, list and revoke one's tokens."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of, token_of
from notifications.api.base import ApiView
from notifications.api.paging import PAGE_PARAMETERS, NewestFirst, refuse_unknown_parameters
from notifications.api.parsers import refuse_unknown_length
from notifications.api.schema import problems
from notifications.api.token_schema import NEW_TOKEN
from notifications.api.token_serializers import NewTokenSerializer, TokenSerializer, token_url
from notifications.intake.errors import Fault, InvalidRequestError
from notifications.intake.token_requests import read_new_token
from notifications.intake.tokens import issue_token, revoke
from notifications.models import ApiToken, Scope


class TokensView(ApiView, ListAPIView[ApiToken]):
    """The user's tokens."""

    serializer_class = TokenSerializer
    pagination_class = NewestFirst
    queryset = ApiToken.objects.none()
    scope_to_read: ClassVar[Scope] = Scope.MANAGE
    scope_to_write: ClassVar[Scope] = Scope.MANAGE
    http_method_names = ("get", "head", "post")

    def get_queryset(self) -> QuerySet[ApiToken]:
        """The user's own."""
        return ApiToken.objects.filter(owner=owner_of(self.request))

    @extend_schema(
        operation_id="list_tokens",
        summary="List one's tokens, newest first",
        responses={200: TokenSerializer(many=True), **problems(400, 401, 403, 503)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The tokens, revoked and expired ones too, page by page; none can be read again."""
        refuse_unknown_parameters(request.query_params, PAGE_PARAMETERS)
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="create_token",
        summary="Make a token",
        request=NEW_TOKEN,
        responses={
            201: OpenApiResponse(NewTokenSerializer, description="The one time it is shown."),
            **problems(400, 401, 403, 411, 413, 415, 422, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Make a token that may do no more than the one that asks for it."""
        refuse_unknown_length(request.headers)
        _refuse_key(request)
        asked = read_new_token(request.data, maker=token_of(request))
        token, plain = issue_token(
            owner=owner_of(request),
            name=asked.name,
            scopes=asked.scopes,
            expires_at=asked.expires_at,
            allowed_senders=asked.allowed_senders,
            allowed_networks=asked.allowed_networks,
            is_test=asked.is_test,
        )
        headers = {"Location": token_url(token.id), "Cache-Control": "no-store"}
        return Response({**TokenSerializer(token).data, "token": plain}, 201, headers=headers)


class TokenView(ApiView):
    """One token."""

    scope_to_read: ClassVar[Scope] = Scope.MANAGE
    scope_to_write: ClassVar[Scope] = Scope.MANAGE
    http_method_names = ("get", "head", "delete")

    @extend_schema(
        operation_id="read_token",
        summary="Read what a token may do",
        responses={200: TokenSerializer, **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, token_id: UUID) -> Response:
        """The token, but not its secret; one that is revoked is only in the list."""
        refuse_unknown_parameters(request.query_params, ())
        token = _own(request, token_id)
        if token.revoked_at is not None:
            raise Http404
        return Response(TokenSerializer(token).data)

    @extend_schema(
        operation_id="revoke_token",
        summary="Revoke a token",
        responses={
            204: OpenApiResponse(description="It opens nothing any more."),
            **problems(401, 403, 404, 503),
        },
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        """End the token now; it stays in the list. The token that asks may end itself."""
        revoke(_own(request, token_id))
        return Response(status=204)


def _own(request: Request, token_id: UUID) -> ApiToken:
    return get_object_or_404(ApiToken, owner=owner_of(request), id=token_id)


def _refuse_key(request: Request) -> None:
    if "Idempotency-Key" in request.headers:
        detail = "Send no Idempotency-Key: it would keep the token, which is shown only once."
        raise InvalidRequestError(Fault("", detail, "idempotency_key"))
