"""Who is asking, and what their token may do."""

from typing import TYPE_CHECKING, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from notifications.client_address import client_address
from notifications.intake.token_limits import may_come_from
from notifications.intake.tokens import authenticate
from notifications.models import ApiToken, Scope, User

if TYPE_CHECKING:
    # its module imports this one, as the settings tell it to
    from rest_framework.views import APIView

_SCHEMES = ("bearer", "token")


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer lk_…`, or `Token` as django-rest-framework's own clients write it."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's owner and the token; None without one. Raises AuthenticationFailed."""
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in _SCHEMES:
            return None
        token = authenticate(plain.strip())
        if token is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked.")
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for (RFC 6750)."""
        return 'Bearer realm="limbo"'


class HasToken(BasePermission):
    """A token is there and may be used from the client's network, whatever else it may do."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the request may go on; without any token the answer is 401, not 403."""
        # asked for once: DRF's request takes its time over it
        token = request.auth
        return isinstance(token, ApiToken) and self._may_be_used(token, request)

    def _may_be_used(self, token: ApiToken, request: Request) -> bool:
        if not token.allowed_networks:
            return True
        address = client_address(request)
        self.message = f"This token may not be used from {address or 'an unknown address'}."
        return may_come_from(token, address)


class HasScope(HasToken):
    """And the token has the scope that the view names for reading or for the rest."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the request may go on."""
        token = request.auth
        if not (isinstance(token, ApiToken) and self._may_be_used(token, request)):
            return False
        is_safe = request.method in SAFE_METHODS
        needed: Scope = getattr(view, "scope_to_read" if is_safe else "scope_to_write")
        self.message = f"The token lacks the scope `{needed}`."
        return needed in token.scopes


def token_of(request: Request) -> ApiToken:
    """The token that opened the request; permissions have seen to it that there is one."""
    return cast("ApiToken", request.auth)


def owner_of(request: Request) -> User:
    """The user whose token opened the request; permissions have seen to it that there is one."""
    return cast("User", request.user)
