"""What can go wrong, as exceptions.

LimboError
├── ConfigurationError          no URL or no token
├── UnsupportedError            Limbo cannot carry this
├── UnreachableError            no answer came, after every try
├── BrokenAnswerError           an answer came that is not Limbo's
└── ApiError                    Limbo answered with a problem
    ├── InvalidRequestError         400  the request breaks a rule: mend it
    ├── UnauthenticatedError        401  no valid token
    ├── ForbiddenError              403  the token may not do this
    ├── NotFoundError               404  it is not there, or another user's
    ├── ConflictError               409
    │   ├── IdempotencyConflictError    the key was used for another request
    │   └── NameTakenError              there is another one of this name
    ├── TooLargeError               413
    ├── ImpossibleRequestError      422  well formed, but not possible now
    ├── TooManyRequestsError        429
    └── ServerError                 5xx
        └── UnavailableError        503
"""

from dataclasses import dataclass


class LimboError(Exception):
    """The root of all of these."""


class ConfigurationError(LimboError):
    """The client was not told where Limbo is, or with which token."""


class UnsupportedError(LimboError):
    """The message has something that Limbo cannot carry; nothing was sent of it."""


class UnreachableError(LimboError):
    """No answer came: the connection failed, broke or took too long, at every try.

    A submission may have been stored all the same; repeat it with the same idempotency key.
    """


class BrokenAnswerError(LimboError):
    """What answered was not Limbo, or a Limbo that this client does not understand."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request."""

    detail: str
    code: str
    """For programs."""
    pointer: str = ""
    """Where in the body it is: a JSON Pointer as a URI fragment."""
    parameter: str = ""
    """The query parameter that it is about."""
    line: int | None = None
    """The line of a template's source."""


class ApiError(LimboError):
    """Limbo answered with a problem (RFC 9457), or a proxy before it with an error."""

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        type: str = "",  # noqa: A002 - the member's name
        title: str = "",
        errors: tuple[Fault, ...] = (),
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.type = type
        """The address of the page about this kind of problem; "" if it was not Limbo's."""
        self.title = title
        self.errors = errors
        """Every fault of the request."""
        self.request_id = request_id
        """As in Limbo's request log."""
        self.retry_after = retry_after
        """Seconds after which it may be tried again, where the answer said so."""

    @property
    def kind(self) -> str:
        """The last part of `type`, such as `invalid-request`; programs may compare it."""
        return self.type.rstrip("/").rpartition("/")[2]


class InvalidRequestError(ApiError):
    """The request breaks a rule; the same request will be refused again."""


class UnauthenticatedError(ApiError):
    """The token is unknown, expired or revoked."""


class ForbiddenError(ApiError):
    """The token lacks the scope, or may not be used from here."""


class NotFoundError(ApiError):
    """It is not there, or belongs to another user."""


class ConflictError(ApiError):
    """Its state, or something else that is there, forbids it."""


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used for another request."""


class NameTakenError(ConflictError):
    """There is another one of this name."""


class TooLargeError(ApiError):
    """The request is larger than Limbo takes."""


class ImpossibleRequestError(ApiError):
    """The request is well formed, but not possible now; `errors` says what stands in the way."""


class TooManyRequestsError(ApiError):
    """The limit of requests is reached; `retry_after` says for how long."""


class ServerError(ApiError):
    """Limbo, or a proxy before it, failed. A submission may have been stored all the same."""


class UnavailableError(ServerError):
    """Limbo cannot do this now."""
