"""Which form an answer has. There is mostly one, so few requests need be read closely for it."""

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_ANYTHING = "*/*"


class Negotiation(DefaultContentNegotiation):
    """DRF's, which takes a while over what nearly all clients say."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer, and the media type that it answers in. Raises NotAcceptable."""
        first, *others = renderers
        accepted = request.META.get("HTTP_ACCEPT", _ANYTHING)
        if format_suffix is None and accepted in (_ANYTHING, first.media_type):
            return first, first.media_type
        found: tuple[BaseRenderer, str] = super().select_renderer(
            request, [first, *others], format_suffix
        )
        return found
