"""What both clients are made of: where Limbo is, how a call becomes a request, and its end."""

import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import httpx

from limbo_client.answers import Answer
from limbo_client.calls import Call
from limbo_client.errors import ConfigurationError, UnreachableError
from limbo_client.problems import problem_of

T = TypeVar("T")

URL = "LIMBO_URL"
TOKEN = "LIMBO_TOKEN"  # noqa: S105 - the variable's name
USUAL_TIMEOUT = 10.0


def _is_url(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


def _user_agent() -> str:
    try:
        return f"limbo-client/{version('limbo-client')}"
    except PackageNotFoundError:
        return "limbo-client"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Limbo is, and what every request has in common."""

    url: str
    token: str
    timeout: float

    @classmethod
    def to(cls, url: str | None, token: str | None, timeout: float) -> "Connection":
        """What is given, or else the environment's. Raises ConfigurationError without either."""
        url = (url or os.environ.get(URL, "")).strip().rstrip("/")
        token = (token or os.environ.get(TOKEN, "")).strip()
        if not _is_url(url):
            raise ConfigurationError(f"Say where Limbo is: {URL}, such as https://limbo.example.")
        if not token:
            raise ConfigurationError(f"Say with which token: {TOKEN}, such as lk_….")
        if not (token.isascii() and token.isprintable()):
            raise ConfigurationError(f"The token ({TOKEN}) has characters that no token has.")
        return cls(url, token, timeout)

    def options(self) -> dict[str, Any]:
        """How the transport is made. It follows no redirect: the token is for Limbo alone."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "User-Agent": _user_agent(),
        }
        return {"base_url": self.url, "headers": headers, "timeout": self.timeout}

    def request(self, client: httpx.Client | httpx.AsyncClient, call: Call[Any]) -> httpx.Request:
        """The call as HTTP."""
        return client.build_request(
            call.method,
            call.path,
            params=call.query or None,
            json=call.body,
            headers={"Idempotency-Key": call.key} if call.key else None,
            timeout=self.timeout + call.waits,
        )


def conclude(call: Call[T], outcome: Answer | httpx.RequestError) -> T:
    """What the call returns, or raises, after its last try."""
    if not isinstance(outcome, Answer):
        told = f"Limbo did not answer: {outcome or type(outcome).__name__}"
        raise UnreachableError(told) from outcome
    if not outcome.is_success:
        raise problem_of(outcome)
    return call.read(outcome)
