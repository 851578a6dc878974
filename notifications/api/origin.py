"""Where a request comes from."""

from urllib.parse import quote

from django.http import HttpRequest

from notifications.client_address import client_address
from notifications.history.requests import RequestOrigin
from notifications.request_id import current_request_id

_MAX_PATH = 2048


def origin_of(request: HttpRequest) -> RequestOrigin:
    """What the request log keeps of `request`."""
    return RequestOrigin(
        method=request.method or "",
        path=quote(request.path)[:_MAX_PATH],
        address=client_address(request),
        request_id=current_request_id(),
    )
