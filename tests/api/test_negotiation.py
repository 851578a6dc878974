"""An answer's form is the one that django-rest-framework would choose."""

import pytest
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from notifications.api.negotiation import Negotiation

RENDERERS: tuple[tuple[type[BaseRenderer], ...], ...] = (
    (JSONRenderer,),
    (OpenApiYamlRenderer, OpenApiJsonRenderer, JSONRenderer),
)


def chosen(
    negotiation: BaseContentNegotiation, kinds: tuple[type[BaseRenderer], ...], accept: str | None
) -> tuple[type[BaseRenderer], str] | None:
    """The renderer's class and the media type; None where there is none."""
    headers = None if accept is None else {"Accept": accept}
    request = Request(APIRequestFactory().get("/v1/mail", headers=headers))
    try:
        renderer, media_type = negotiation.select_renderer(request, [kind() for kind in kinds])
    except NotAcceptable:
        return None
    return type(renderer), media_type


@pytest.mark.parametrize("kinds", RENDERERS)
@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        "application/json",
        "application/vnd.oai.openapi",
        "application/json; indent=2",
        "text/html,*/*;q=0.8",
        "application/*",
        "text/csv",
        "",
    ],
)
def test_the_form_is_what_drf_would_choose(
    kinds: tuple[type[BaseRenderer], ...], accept: str | None
) -> None:
    expected = chosen(DefaultContentNegotiation(), kinds, accept)
    assert chosen(Negotiation(), kinds, accept) == expected
