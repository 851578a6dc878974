"""Pages of a list, newest first, found by the id of where the last page ended."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError as InvalidValueError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from notifications.api.parameters import whole_number


class NewestFirst(CursorPagination):
    """Keys are given in order of time, so a page is one range of an index however deep it lies."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    page_size_query_description = "How many a page has, 50 unless given, at most 200."

    def paginate_queryset(
        self,
        queryset: QuerySet[Any, Any] | Sequence[Any],
        request: Request,
        view: APIView | None = None,
    ) -> list[Any] | None:
        """The page that `cursor` names. Raises ValidationError for one that is not ours."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, InvalidValueError, ValueError):
            raise ValidationError({"cursor": ["This is not a cursor of Limbo's."]}) from None

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The place that `cursor` names. Raises NotFound for a text that names none."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is None:
            raise NotFound
        return cursor

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The parameters as the description has them, with the bounds of `limit`."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                bounds = {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
                parameter["schema"] = {"type": "integer", **bounds}
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page's schema in OpenAPI 3.1, where null is a type of its own."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_page_size(self, request: Request) -> int:
        """The page's length. Raises ValidationError for one that is no number or out of range."""
        return whole_number(
            request, "limit", default=self.page_size, least=1, most=self.max_page_size
        )


class NewestFoundFirst(NewestFirst):
    """Messages that were found by what they have."""

    ordering = "-message_id"


class OldestFirst(NewestFirst):
    """One message's history, in the order in which it happened."""

    ordering = "seq"


PAGE_PARAMETERS = frozenset({NewestFirst.cursor_query_param, NewestFirst.page_size_query_param})


def refuse_unknown_parameters(parameters: Iterable[str], known: Iterable[Any]) -> None:
    """Raise ValidationError naming each parameter that the list does not know.

    A misspelt filter that was ignored would return everything.
    """
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ValidationError({name: ["There is no such parameter."] for name in unknown})
