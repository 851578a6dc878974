"""GET /v1/mail/{id}/content: what a message says, for a scope of its own, and written down."""

import json
from typing import Any

import pytest

from notifications.models import RequestLog, Scope
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

FULL = {
    **SUBMISSION,
    "html": "<p>Hello</p>",
    "attachments": [
        {"name": "a.txt", "type": "text/plain", "content": "aGVsbG8="},
        {"name": "b.png", "type": "image/png", "content": "UE5H", "content_id": "b"},
    ],
}


def path_of(api: Api, body: Any = FULL) -> str:
    """Where what a new message says is read."""
    return f"/v1/mail/{json.loads(api.post(body).content)['id']}/content"


def test_it_tells_what_the_message_says_and_which_files_it_has(api: Api) -> None:
    answer = api.get(path_of(api))
    assert json.loads(answer.content) == {
        "text": "Hello, Ada.",
        "html": "<p>Hello</p>",
        "attachments": [
            {"name": "a.txt", "type": "text/plain", "content_id": "", "size": 5},
            {"name": "b.png", "type": "image/png", "content_id": "b", "size": 3},
        ],
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_files_come_in_full_where_that_is_asked_for(api: Api) -> None:
    told = json.loads(api.get(path_of(api), include="attachments").content)
    assert [file["content"] for file in told["attachments"]] == ["aGVsbG8=", "UE5H"]


def test_a_message_without_files_has_none(api: Api) -> None:
    told = json.loads(api.get(path_of(api, SUBMISSION), include="attachments").content)
    assert told == {"text": "Hello, Ada.", "html": "", "attachments": []}


def test_each_look_is_written_down_beside_the_message(api: Api) -> None:
    path = path_of(api)
    api.get(path)
    line = RequestLog.objects.order_by("-id")[0]
    assert (line.path, line.status, line.owner) == (path, 200, api.owner)
    assert str(line.message_id) in path


@pytest.mark.parametrize("scope", [Scope.SEND, Scope.READ, Scope.MANAGE])
def test_another_scope_does_not_do(api: Api, scope: Scope) -> None:
    path = path_of(api)
    problem_of(api_of(api.owner, scope).get(path), 403, "forbidden")
    refused = RequestLog.objects.order_by("-id")[0]
    assert (refused.path, refused.status) == (path, 403)


def test_another_users_message_is_not_there(api: Api) -> None:
    problem_of(api_of(UserFactory()).get(path_of(api)), 404, "not-found")


@pytest.mark.parametrize("query", [{"include": "all"}, {"includes": "attachments"}])
def test_an_unknown_parameter_is_refused(api: Api, query: dict[str, str]) -> None:
    problem_of(api.get(path_of(api), **query), 400, "invalid-request")
