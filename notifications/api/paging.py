"""Pages of a list, newest first, found by the id of where the last page ended."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from notifications.api.parameters import whole_number

_BACK = "r"
"""What the cursor of a page before this one begins with."""


class NewestFirst(CursorPagination):
    """Keys are given in order of time, so a page is one range of an index however deep it lies.

    The cursor is the key where a page begins or ends; keys differ, so that is all it takes.
    """

    key_pattern: ClassVar[str] = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    page_size_query_description = "How many a page has, 50 unless given, at most 200."

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The place that `cursor` names; None without one. Raises ValidationError for no cursor."""
        text = request.query_params.get(self.cursor_query_param)
        if text is None:
            return None
        match = re.fullmatch(self._pattern(), text)
        if match is None:
            raise ValidationError({"cursor": ["This is not a cursor of Limbo's."]})
        # a key, which the library compares and never counts with
        return Cursor(0, bool(match["back"]), match["key"])  # type: ignore[arg-type]

    def encode_cursor(self, cursor: Cursor) -> str:
        """The address of the page that begins at `cursor`."""
        text = f"{_BACK if cursor.reverse else ''}{cursor.position}"
        return replace_query_param(str(self.base_url), self.cursor_query_param, text)

    @classmethod
    def _pattern(cls) -> str:
        return f"(?P<back>{_BACK}?)(?P<key>{cls.key_pattern})"

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The parameters as the description has them, with the form of `cursor` and `limit`."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                bounds = {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
                parameter["schema"] = {"type": "integer", **bounds}
            if parameter["name"] == self.cursor_query_param:
                pattern = f"^{_BACK}?{self.key_pattern}$"
                parameter["schema"] = {"type": "string", "pattern": pattern}
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


class LatestFirst(NewestFirst):
    """What is numbered, the last one first."""

    key_pattern = "[1-9][0-9]{0,17}"


class OldestFirst(NewestFirst):
    """One message's history, in the order in which it happened."""

    ordering = "seq"
    key_pattern = "[1-9][0-9]{0,8}"


PAGE_PARAMETERS = frozenset({NewestFirst.cursor_query_param, NewestFirst.page_size_query_param})


def refuse_unknown_parameters(parameters: Mapping[str, str], known: Iterable[Any]) -> None:
    """Raise ValidationError naming each parameter that the list does not know, or that is empty.

    A filter that was ignored would return everything.
    """
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ValidationError({name: ["There is no such parameter."] for name in unknown})
    empty = sorted(name for name, value in parameters.items() if not value)
    if empty:
        raise ValidationError({name: ["This must not be empty."] for name in empty})
