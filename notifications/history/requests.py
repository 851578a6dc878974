"""The request log: one line for each API request, refused ones too."""

import time
from dataclasses import dataclass, field
from uuid import UUID

from notifications.models import RequestLog, User

_METHOD_LENGTH = 8
"""The column's width."""

_MANY = 200
"""Requests of one message that are looked at; they come about in their order."""


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """A request as it came in, before anyone knows its answer."""

    method: str
    path: str
    """Percent-encoded and without the query, which may name people."""
    address: str | None
    """The client's, as far as the proxies in front are believed."""
    request_id: UUID | None = None
    """The id that its answer names."""
    token_id: UUID | None = None
    """The token that it came with, as far as one is known."""
    began: float = field(default_factory=time.monotonic)

    def duration_ms(self) -> int:
        """Milliseconds since it came in."""
        return round((time.monotonic() - self.began) * 1000)

    def short_method(self) -> str:
        """The method, as much of it as the log holds: a client may invent any."""
        return self.method[:_METHOD_LENGTH]


def record_request(
    origin: RequestOrigin, *, owner: User | None, status: int, message_id: UUID | None = None
) -> None:
    """Write the line of an answered request; `owner` is None for one that nobody owns.

    Raises DatabaseError when it cannot be written.
    """
    RequestLog.objects.create(
        owner=owner,
        method=origin.short_method(),
        path=origin.path,
        status=status,
        address=origin.address,
        duration_ms=origin.duration_ms(),
        message_id=message_id,
        request_id=origin.request_id,
        token_id=origin.token_id,
    )


def request_that_made(message_id: UUID) -> RequestLog | None:
    """The request that made the message; None for one of a batch, and for one of no request.

    Repeats of it under its key, and looks at the message's content, are of later requests.
    """
    # ordered by the database, a planner without fresh figures walks the log from its beginning
    found = RequestLog.objects.filter(message_id=message_id)[:_MANY]
    return min(found, key=lambda row: row.pk, default=None)
