"""What a browser may do on a page of ours: nothing that is inline or comes from elsewhere."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_HEADER = "Content-Security-Policy"


class ContentSecurityPolicyMiddleware:
    """Put the policy on every answer but the admin's, whose theme evaluates expressions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the policy."""
        response = self._get_response(request)
        match = request.resolver_match
        if match is None or match.app_name != "admin":
            response.headers.setdefault(_HEADER, POLICY)
        return response
