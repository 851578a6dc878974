"""/v1/tokens: an owner makes, lists and revokes tokens, and none gives more than it has."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from notifications.intake import tokens
from notifications.models import ApiToken, RequestLog, Scope
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PATH = "/v1/tokens"


def create(api: Api, **fields: Any) -> dict[str, Any]:
    """What is answered to a token that is made."""
    answer = api.post({"name": "shop", **fields}, path=PATH)
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = json.loads(answer.content)
    return told


def refused(answer: Any, status: int = 400) -> list[tuple[str, str]]:
    """Where and why a token is refused; none is made."""
    kind = {400: "invalid-request", 422: "impossible-request"}[status]
    problem = problem_of(answer, status, kind)
    assert ApiToken.objects.count() == 1
    return [(fault["pointer"], fault["code"]) for fault in problem["errors"]]


def limited(api: Api, **fields: Any) -> Api:
    """The application with limits to its token."""
    ApiToken.objects.filter(owner=api.owner).update(**fields)
    # as if the time for which a process knows a token were over
    tokens._known.forget(bytes(ApiToken.objects.get(owner=api.owner).digest))
    return api


def test_a_token_is_shown_once_and_opens_what_it_may(api: Api) -> None:
    answer = api.post({"name": "shop", "scopes": ["send"]}, path=PATH)
    made = json.loads(answer.content)
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["url"] == answer.headers["Location"]
    assert made["token"].startswith(made["prefix"])
    new = Api(api.owner, made["token"])
    assert new.post(SUBMISSION).status_code == 200
    assert new.get("/v1/mail").status_code == 403
    assert made["token"] not in str(api.get(f"{PATH}/{made['id']}").content)
    assert made["token"] not in str(api.get(PATH).content)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM notifications_apitoken")
        assert made["token"] not in str(cursor.fetchall())
    assert not RequestLog.objects.filter(path__contains=made["token"]).exists()


def test_what_is_not_said_is_as_usual(api: Api) -> None:
    made = create(api, scopes=None, expires_at=None, allowed_senders=None, allowed_networks=None)
    assert made["scopes"] == ["send", "read"]
    assert (made["expires_at"], made["allowed_senders"], made["allowed_networks"]) == (None, [], [])
    assert (made["last_used_at"], made["revoked_at"]) == (None, None)


def test_tokens_are_listed_newest_first_page_by_page(api: Api) -> None:
    names = [create(api, name=f"number {number}")["name"] for number in range(3)]
    first = json.loads(api.get(PATH, limit="2").content)
    assert [token["name"] for token in first["results"]] == [names[2], names[1]]
    second = json.loads(api.get(first["next"]).content)
    assert [token["name"] for token in second["results"]] == [names[0], "test"]
    problem_of(api.get(PATH, colour="red"), 400, "invalid-request")


def test_a_revoked_token_opens_nothing_and_stays_in_the_list(api: Api) -> None:
    made = create(api)
    new = Api(api.owner, made["token"])
    assert new.get("/v1/mail").status_code == 200
    assert api.delete(f"{PATH}/{made['id']}").status_code == 204
    problem_of(new.get("/v1/mail"), 401, "unauthenticated")
    problem_of(api.get(f"{PATH}/{made['id']}"), 404, "not-found")
    assert api.delete(f"{PATH}/{made['id']}").status_code == 204
    (listed, _) = json.loads(api.get(PATH).content)["results"]
    assert (listed["id"], listed["revoked_at"] is not None) == (made["id"], True)


def test_a_token_may_end_itself(api: Api) -> None:
    own = ApiToken.objects.get()
    assert api.delete(f"{PATH}/{own.id}").status_code == 204
    problem_of(api.get(PATH), 401, "unauthenticated")


def test_another_users_token_is_not_there(api: Api) -> None:
    made = create(api)
    stranger = api_of(UserFactory())
    problem_of(stranger.get(f"{PATH}/{made['id']}"), 404, "not-found")
    problem_of(stranger.delete(f"{PATH}/{made['id']}"), 404, "not-found")
    assert made["prefix"] not in str(stranger.get(PATH).content)
    assert ApiToken.objects.get(id=made["id"]).revoked_at is None


@pytest.mark.parametrize("scope", [Scope.SEND, Scope.READ, Scope.CONTENT])
def test_another_scope_does_not_do(db: None, scope: Scope) -> None:
    api = api_of(UserFactory(), scope)
    own = ApiToken.objects.get()
    for answer in (
        api.get(PATH),
        api.get(f"{PATH}/{own.id}"),
        api.post({"name": "x"}, path=PATH),
        api.delete(f"{PATH}/{own.id}"),
    ):
        problem_of(answer, 403, "forbidden")
    assert ApiToken.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ([], ("#", "type")),
        ({}, ("#/name", "required")),
        ({"name": None}, ("#/name", "required")),
        ({"name": " "}, ("#/name", "blank")),
        ({"name": 7}, ("#/name", "type")),
        ({"name": "a" * 101}, ("#/name", "too_long")),
        ({"name": "a\nb"}, ("#/name", "character")),
        ({"name": "a", "colour": 1}, ("#/colour", "unknown")),
        ({"name": "a", "scopes": "send"}, ("#/scopes", "type")),
        ({"name": "a", "scopes": ["fly"]}, ("#/scopes/0", "choice")),
        ({"name": "a", "scopes": ["send", "send"]}, ("#/scopes", "twice")),
        ({"name": "a", "scopes": ["send"] * 5}, ("#/scopes", "too_many")),
        ({"name": "a", "expires_at": "tomorrow"}, ("#/expires_at", "time")),
        ({"name": "a", "expires_at": "2027-05-03T10:00:00"}, ("#/expires_at", "offset")),
        ({"name": "a", "allowed_senders": ["b.org"] * 51}, ("#/allowed_senders", "too_many")),
        ({"name": "a", "allowed_senders": ["b.org", "B.org"]}, ("#/allowed_senders", "twice")),
        ({"name": "a", "allowed_networks": [7]}, ("#/allowed_networks/0", "type")),
    ],
)
def test_what_is_no_token_is_refused_by_name(api: Api, fields: Any, fault: tuple[str, str]) -> None:
    assert refused(api.post(fields, path=PATH)) == [fault]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("allowed_senders", "a@"),
        ("allowed_senders", "A <a@b.org>"),
        ("allowed_networks", "192.0.2.1/24"),
    ],
)
def test_a_limit_to_what_there_cannot_be_is_not_possible(api: Api, field: str, wrong: str) -> None:
    answer = api.post({"name": "a", field: [wrong]}, path=PATH)
    assert refused(answer, 422) == [(f"#/{field}/0", "form")]


def test_a_time_that_is_past_is_not_possible(api: Api) -> None:
    past = {"name": "a", "expires_at": (timezone.now() - timedelta(minutes=1)).isoformat()}
    assert refused(api.post(past, path=PATH), 422) == [("#/expires_at", "past")]


def test_a_time_is_read_by_its_offset(api: Api) -> None:
    made = create(api, expires_at="2099-05-03T10:00:00+02:00")
    ends = datetime.fromisoformat(made["expires_at"])
    assert ends == datetime(2099, 5, 3, 8, tzinfo=UTC)


def test_a_token_gives_no_more_than_it_has(api: Api) -> None:
    ends = timezone.now() + timedelta(days=1)
    limited(
        api,
        scopes=["manage", "read"],
        expires_at=ends,
        allowed_senders=["example.com", "a@example.net"],
        allowed_networks=["127.0.0.0/8"],
    )
    more = {
        "name": "a",
        "scopes": ["read", "send"],
        "expires_at": (ends + timedelta(seconds=1)).isoformat(),
        "allowed_senders": ["b@example.com", "example.net", "b.example.com"],
        "allowed_networks": ["127.1.0.0/16", "0.0.0.0/0", "::1/128"],
    }
    assert refused(api.post(more, path=PATH), 422) == [
        ("#/expires_at", "too_late"),
        ("#/scopes/1", "not_yours"),
        ("#/allowed_senders/1", "not_yours"),
        ("#/allowed_senders/2", "not_yours"),
        ("#/allowed_networks/1", "not_yours"),
        ("#/allowed_networks/2", "not_yours"),
    ]
    made = create(api, scopes=["read"])
    assert datetime.fromisoformat(made["expires_at"]) == ends
    assert made["allowed_senders"] == ["example.com", "a@example.net"]
    assert made["allowed_networks"] == ["127.0.0.0/8"]
    assert create(api, scopes=["read"], allowed_senders=["A@EXAMPLE.NET"])["allowed_senders"]


def test_without_scopes_it_has_the_usual_ones_that_can_be_given(api: Api) -> None:
    limited(api, scopes=["manage"])
    assert refused(api.post({"name": "a"}, path=PATH)) == [("#/scopes", "required")]
    limited(api, scopes=["manage", "read"])
    assert create(api)["scopes"] == ["read"]


def test_a_secret_is_kept_for_no_repeat(api: Api) -> None:
    answer = api.post({"name": "a"}, path=PATH, Idempotency_Key="one")
    assert refused(answer) == [("#", "idempotency_key")]


def test_a_test_token_is_known_by_its_mark_and_makes_no_others(api: Api) -> None:
    made = create(api, test=True)
    assert made["test"] is True
    assert made["token"].startswith("lk_test_")
    assert made["prefix"] == made["token"][:16]
    tester = Api(api.owner, create(api, test=True, scopes=["manage"])["token"])
    # what is not said is as with the token that asks
    assert create(tester, scopes=["manage"])["test"] is True
    answer = tester.post({"name": "shop", "scopes": ["manage"], "test": False}, path=PATH)
    (fault,) = problem_of(answer, 422, "impossible-request")["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/test", "not_yours")


@pytest.mark.parametrize("wrong", ["true", 1, []])
def test_whether_it_is_for_tests_is_said_by_true_or_false(api: Api, wrong: object) -> None:
    assert refused(api.post({"name": "shop", "test": wrong}, path=PATH)) == [("#/test", "type")]
