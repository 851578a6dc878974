"""No user sees another's anything: a decision for every address, and a test of each.

The matrix is made from the addresses themselves, so that a new one fails here until it is decided.
"""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import EventFactory, RequestLogFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db

PUBLIC = {"hello", "health", "ready", "metrics", "schema", "reference", "problems", "problem"}
"""These show nothing that belongs to anyone."""

ONE = {
    "message",
    "message-cancel",
    "message-content",
    "message-events",
    "message-reschedule",
    "message-retry",
    "template",
    "token",
    "template-versions",
    "template-preview",
}
"""Another user's is not there."""

MAKES = {"batch"}
"""Only makes: test_batch shows that another user's template is not there."""

LISTS = {"messages", "requests", "events", "templates", "tokens", "stats"}
"""Another user's are not among them."""

NOTHING = {"nothing"}
"""There is nothing to see for anyone."""


def _patterns(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, entry.namespace or namespace)
        else:
            yield namespace, entry


def test_every_address_of_the_api_has_its_decision() -> None:
    api = [entry for namespace, entry in _patterns(get_resolver()) if namespace == "api"]
    assert sorted(str(entry.name) for entry in api) == sorted(
        PUBLIC | ONE | MAKES | LISTS | NOTHING
    )


def test_every_other_address_belongs_to_a_room_that_tests_it() -> None:
    rooms = {namespace for namespace, _ in _patterns(get_resolver())}
    assert rooms <= {"api", "web", "admin", "tracking", ""}


def test_addresses_below_v1_are_all_in_the_api() -> None:
    routes = [(namespace, str(entry.pattern)) for namespace, entry in _patterns(get_resolver())]
    assert {namespace for namespace, route in routes if route.startswith(("v1", "^v1"))} == {"api"}


@pytest.fixture
def other(api: Api) -> Api:
    """Another user, who has a message and a request of the own."""
    other = api_of(UserFactory())
    message = make_message("ada@example.org", owner=other.owner, subject="confidential")
    EventFactory(message=message, kind="confidential")
    RequestLogFactory(owner=other.owner, path="/v1/confidential")
    return other


@pytest.mark.parametrize("below", ["", "/events"])
def test_another_users_message_is_not_there(api: Api, other: Api, below: str) -> None:
    message = other.owner.messages.get()
    path = f"/v1/mail/{message.id}{below}"
    assert other.get(path).status_code == 200
    theirs = problem_of(api.get(path), 404, "not-found")
    nobodys = problem_of(api.get(f"/v1/mail/{uuid4()}{below}"), 404, "not-found")
    assert {**theirs, "request_id": ""} == {**nobodys, "request_id": ""}


@pytest.mark.parametrize("path", ["/v1/mail", "/v1/requests", "/v1/events"])
def test_lists_show_the_users_own(api: Api, other: Api, path: str) -> None:
    assert b"confidential" in other.get(path).content
    assert b"confidential" not in api.get(path).content


@pytest.mark.parametrize("query", [{"recipient": "ada@example.org"}, {"state": "pending"}])
def test_no_filter_finds_anothers(api: Api, other: Api, query: dict[str, str]) -> None:
    assert len(json.loads(other.get("/v1/mail", **query).content)["results"]) == 1
    assert json.loads(api.get("/v1/mail", **query).content)["results"] == []


def test_no_cursor_leads_to_anothers(api: Api, other: Api) -> None:
    make_message(owner=other.owner)
    following = json.loads(other.get("/v1/mail", limit=1).content)["next"]
    query = following.partition("?")[2]
    assert json.loads(other.get(f"/v1/mail?{query}").content)["results"]
    assert json.loads(api.get(f"/v1/mail?{query}").content)["results"] == []


def test_a_key_of_anothers_opens_nothing(api: Api, other: Api) -> None:
    first = json.loads(other.post(Idempotency_Key="one").content)
    second = json.loads(api.post(Idempotency_Key="one").content)
    assert first["id"] != second["id"]
    assert api.post({**SUBMISSION, "subject": "x"}, Idempotency_Key="two").status_code == 200


def test_staff_have_no_more_than_their_own_here(other: Api) -> None:
    staff = api_of(UserFactory(is_staff=True, is_superuser=True))
    assert json.loads(staff.get("/v1/mail").content)["results"] == []
    problem_of(staff.get(f"/v1/mail/{other.owner.messages.get().id}"), 404, "not-found")
