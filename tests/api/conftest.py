"""What the tests of the API share."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from notifications.intake.tokens import issue_token
from notifications.models import Scope, User
from tests.factories import UserFactory

SUBMISSION: dict[str, Any] = {
    "from": "App <app@example.com>",
    "to": ["Ada <ada@example.org>"],
    "subject": "Hello",
    "message": "Hello, Ada.",
}


@dataclass
class Api:
    """A user's application: a client that shows the user's token."""

    owner: User
    token: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def get(self, path: str, *, accept: str = "application/json", **query: Any) -> HttpResponse:
        """GET as the user."""
        return self._answer("GET", path, query_params=query, headers={"Accept": accept})

    def post(
        self,
        body: object = SUBMISSION,
        *,
        path: str = "/v1/mail",
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        """POST as the user; bytes go as they are, the rest as JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._answer("POST", path, data=data, content_type=content_type, headers=named)

    def patch(self, path: str, body: object) -> HttpResponse:
        """PATCH as the user."""
        return self._answer(
            "PATCH", path, data=json.dumps(body), content_type="application/json", headers={}
        )

    def delete(self, path: str) -> HttpResponse:
        """DELETE as the user."""
        return self._answer("DELETE", path, headers={})

    def ask(self, method: str, path: str, body: object | None = None, **query: Any) -> HttpResponse:
        """Any request as the user; without a body unless one is given, which goes as JSON."""
        data = b"" if body is None else json.dumps(body).encode()
        return self._answer(
            method, path, data=data, content_type="application/json", query_params=query, headers={}
        )

    def _answer(self, method: str, path: str, **arguments: Any) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self.token}", **arguments.pop("headers")}
        answer = self.client.generic(method, path, headers=headers, **arguments)
        assert isinstance(answer, HttpResponse)
        return answer


def api_of(owner: User, *scopes: Scope) -> Api:
    """An application of `owner`'s with a token for `scopes`, or for all."""
    _, plain = issue_token(owner=owner, name="test", scopes=scopes or list(Scope))
    return Api(owner, plain)


@pytest.fixture
def api(db: None) -> Api:
    """An application of some user's."""
    return api_of(UserFactory())


@pytest.fixture(autouse=True)
def wakeups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The wake-ups that were asked for, instead of a thread that outlives the test."""
    asked: list[str] = []
    for module in ("submission", "batch"):
        monkeypatch.setattr(f"notifications.intake.{module}.wake", lambda: asked.append("wake"))
    return asked
