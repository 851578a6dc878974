"""Limbo's client: send a message, and see what became of it.

from limbo_client import Limbo, Mail

with Limbo() as limbo:
    limbo.send(Mail(sender="app@example.com", to="ada@example.org", subject="Hi", text="Hello."))
"""

from limbo_client.asynchronous import AsyncLimbo
from limbo_client.errors import (
    ApiError,
    BrokenAnswerError,
    ConfigurationError,
    ConflictError,
    Fault,
    ForbiddenError,
    IdempotencyConflictError,
    ImpossibleRequestError,
    InvalidRequestError,
    LimboError,
    NameTakenError,
    NotFoundError,
    ServerError,
    TooLargeError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
    UnsupportedError,
)
from limbo_client.feed import AsyncFeed, Feed
from limbo_client.mail import Attachment, Mail
from limbo_client.retrying import Retrying
from limbo_client.synchronous import Limbo

__all__ = [
    "ApiError",
    "AsyncFeed",
    "AsyncLimbo",
    "Attachment",
    "BrokenAnswerError",
    "ConfigurationError",
    "ConflictError",
    "Fault",
    "Feed",
    "ForbiddenError",
    "IdempotencyConflictError",
    "ImpossibleRequestError",
    "InvalidRequestError",
    "Limbo",
    "LimboError",
    "Mail",
    "NameTakenError",
    "NotFoundError",
    "Retrying",
    "ServerError",
    "TooLargeError",
    "TooManyRequestsError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnreachableError",
    "UnsupportedError",
]
