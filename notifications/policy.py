"""What a browser may do on each kind of page: the Content-Security-Policy of every answer.

Users' pages get by with nothing inline and nothing from elsewhere. The admin's theme needs more,
and gets just that. A view whose page is unlike both puts a policy of its own on its answer.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"

_OURS = (
    "default-src 'none'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)

PAGES = "; ".join((*_OURS, "script-src 'self'", "style-src 'self'"))
"""Users' pages, and whatever has no policy of its own."""

THEME_STYLES = (
    # the theme's colours, which its skeleton writes into each page from the settings
    "sha256-LDh63K3UJKuJzvnddJnfB6tangDBmu8xzXDjzYCFgPE=",
    # the indicator of htmx, which the theme brings along
    "sha256-bsV5JivYxvGywDAZ22EZJKBFip65Ng9xoJVLbBg7bdo=",
)
"""The two inline styles of the admin's theme; the browser's tests compute them from its pages."""

ADMIN = "; ".join(
    (
        *_OURS,
        # the expressions in the theme's attributes are compiled in the browser
        "script-src 'self' 'unsafe-eval'",
        f"style-src 'self' {' '.join(repr(style) for style in THEME_STYLES)}",
        # widths and folds that the theme sets on single elements
        "style-src-attr 'unsafe-inline'",
        "font-src 'self'",
        # a message's body, which has FRAMED
        "frame-src 'self'",
    )
)
"""The admin: the smallest that its theme works under."""

FRAMED = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "sandbox",
        "frame-ancestors 'self'",
    )
)
"""HTML that others have written, in a frame: it may look like something, and that is all."""


class ContentSecurityPolicyMiddleware:
    """Put a policy on every answer: the view's own, the admin's or our pages'."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the policy."""
        response = self._get_response(request)
        match = request.resolver_match
        is_admin = match is not None and match.app_name == "admin"
        response.headers.setdefault(HEADER, ADMIN if is_admin else PAGES)
        return response
