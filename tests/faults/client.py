"""An application that posts messages over HTTP, through whatever happens to the server."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, TypeVar
from uuid import UUID

from notifications.intake.tokens import issue_token
from notifications.models import User
from tests.conftest import wait_until

T = TypeVar("T")

FIELDS = {"from": "app@example.com", "to": ["reader@example.org"], "message": "Hello."}
"""A submission without its subject."""

_THREADS = 8
_RETRY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    """Their names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def is_success(self) -> bool:
        """Whether it is a 2xx."""
        return self.status in range(200, 300)

    @property
    def message_id(self) -> UUID:
        """The message that was submitted."""
        return UUID(self.json["id"])


class NoReplyError(Exception):
    """The connection was refused or broke: nobody knows what became of the request."""


@dataclass(slots=True)
class Client:
    """One user's application, at the web front on `port`."""

    port: int
    token: str
    replies: list[Reply] = field(default_factory=list)
    """Every answer it got."""

    @classmethod
    def of(cls, owner: User, port: int) -> "Client":
        """A client with a new token of `owner`'s."""
        return cls(port, issue_token(owner=owner, name="fault matrix")[1])

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request and return the answer. Raises NoReplyError."""
        told = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as http:
            try:
                with suppress(BrokenPipeError):
                    # a server may answer before it has read all, and read no more
                    http.request(method, path, body or None, told | dict(headers or {}))
                answer = http.getresponse()
                reply = Reply(answer.status, _lower(answer), answer.read())
            except (OSError, HTTPException) as error:
                raise NoReplyError from error
        self.replies.append(reply)
        return reply

    def post(self, key: str, text: str = "Hello.") -> Reply:
        """Post a message under an Idempotency-Key. Raises NoReplyError."""
        fields = FIELDS | {"subject": f"Message {key}", "message": text}
        return self.ask("POST", "/v1/mail", json.dumps(fields).encode(), {"Idempotency-Key": key})

    def submit(self, key: str, text: str = "Hello.") -> UUID | None:
        """Post a message; None unless it was answered with a 2xx."""
        try:
            reply = self.post(key, text)
        except NoReplyError:
            return None
        return reply.message_id if reply.is_success else None

    def insist(self, key: str, text: str = "Hello.") -> UUID:
        """Post it again and again under the same key, until it is taken."""
        taken = wait_until(lambda: self.submit(key, text), seconds=_RETRY_SECONDS)
        assert taken is not None
        return taken


def in_parallel(do: Callable[[str], T], keys: list[str]) -> dict[str, T]:
    """Do something with each key on several threads; what came of each."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return dict(zip(keys, threads.map(do, keys), strict=True))


def _lower(answer: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}
