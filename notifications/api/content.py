"""`/v1/mail/{id}/content`: what a message says."""

from base64 import b64encode
from typing import Any, ClassVar
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.auth import owner_of
from notifications.api.base import ApiView
from notifications.api.paging import refuse_unknown_parameters
from notifications.api.parameters import one_of
from notifications.api.schema import problems
from notifications.history.requests import record_request
from notifications.models import Attachment, Content, Message, Scope

_FILES = "attachments"


class FileSerializer(serializers.Serializer[dict[str, Any]]):
    """A file that goes with a message."""

    name = serializers.CharField(read_only=True)
    type = serializers.CharField(read_only=True, help_text="Its media type.")
    content_id = serializers.CharField(
        read_only=True, help_text="The HTML refers to it by this; empty: it stands for itself."
    )
    size = serializers.IntegerField(read_only=True, help_text="Octets.")
    # the generator takes whatever is read-only for always there
    content = serializers.CharField(
        required=False, help_text="In base64; with `include=attachments` only."
    )


class ContentSerializer(serializers.Serializer[dict[str, Any]]):
    """What a message says."""

    text = serializers.CharField(read_only=True)
    html = serializers.CharField(read_only=True, help_text="Empty where there is none.")
    attachments = FileSerializer(many=True, read_only=True)


class ContentView(ApiView):
    """What one of the user's messages says."""

    scope_to_read: ClassVar[Scope] = Scope.CONTENT
    http_method_names = ("get", "head")

    @extend_schema(
        operation_id="read_content",
        summary="Read what a message says",
        parameters=[
            OpenApiParameter(
                "include",
                {"type": "string", "enum": [_FILES]},
                description="With `attachments` the files come with their content.",
            )
        ],
        responses={200: ContentSerializer, **problems(400, 401, 403, 404, 503)},
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        """Text, HTML and files. The request log tells of it beside the message."""
        refuse_unknown_parameters(request.query_params, ["include"])
        with_files = one_of(request, "include", [_FILES]) == _FILES
        owned = Message.objects.owned_by(owner_of(request))
        content = get_object_or_404(Content, message__in=owned, message_id=message_id)
        files = _files(message_id, in_full=with_files) if content.attached_octets else []
        # before anything is told; a log that cannot be written keeps it untold
        record_request(self.origin, owner=owner_of(request), status=200, message_id=message_id)
        self.is_logged = True
        answer = {"text": content.text, "html": content.html, "attachments": files}
        return Response(answer, headers={"Cache-Control": "no-store"})


def _files(message_id: UUID, *, in_full: bool) -> list[dict[str, Any]]:
    """The files, with what is in them only where it is asked for: they may be large."""
    columns = ["name", "type", "content_id", *(["content"] if in_full else [])]
    found = Attachment.objects.filter(message=message_id).order_by("position")
    rows = found.sized().values(*columns, "size")
    return [
        {
            name: b64encode(value).decode() if name == "content" else value
            for name, value in row.items()
        }
        for row in rows
    ]
