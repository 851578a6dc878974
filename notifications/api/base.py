"""What every view of `/v1/` shares: the order of the checks, and the request log."""

import logging
from dataclasses import replace
from typing import Any, ClassVar

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from notifications.api.origin import origin_of
from notifications.history.requests import RequestOrigin, record_request
from notifications.models import ApiToken, Scope, User

logger = logging.getLogger(__name__)


class ApiView(APIView):
    """A view whose requests are logged, whatever became of them."""

    scope_to_read: ClassVar[Scope] = Scope.READ
    """What a token needs for GET and HEAD; see HasScope."""
    scope_to_write: ClassVar[Scope] = Scope.SEND
    """What a token needs for every other method."""

    origin: RequestOrigin
    is_logged = False
    """A submission's line is written in the submission's own transaction."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request and log it."""
        self.origin = origin_of(request)
        response = super().dispatch(request, *args, **kwargs)
        if not self.is_logged:
            self._log(response.status_code)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the token before anything else: whoever has none learns nothing more."""
        token = request.auth
        if isinstance(token, ApiToken):
            self.origin = replace(self.origin, token_id=token.id)
        self.check_permissions(request)
        super().initial(request, *args, **kwargs)

    def _log(self, status: int) -> None:
        try:
            user = self.request.user
            record_request(
                self.origin, owner=user if isinstance(user, User) else None, status=status
            )
        except DatabaseError as error:
            # the answer is right all the same, and the caller must get it
            logger.warning("A request was not logged: %s", error)
