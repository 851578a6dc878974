"""The contract's table, row by row: the clients of Limbo's ancestor must go on working."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from notifications.intake.tokens import issue_token, revoke
from notifications.models import Message, Scope
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import HeartbeatFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db


def test_the_root_greets(api: Api) -> None:
    for accept in ("*/*", "application/json"):
        answer = api.get("/", accept=accept)
        assert answer.status_code == 200
        assert json.loads(answer.content) == {"hello": "world"}


def test_the_root_leads_a_browser_to_the_users_pages(api: Api) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    answer = api.get("/", accept=accept)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/messages/"
    assert "Accept" in answer.headers["Vary"]


def test_health(api: Api) -> None:
    answer = api.get("/health")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"health": "ok"})


def test_ready(api: Api) -> None:
    HeartbeatFactory()
    assert api.get("/ready").status_code == 200


def test_metrics_for_prometheus(api: Api) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*"
    answer = api.get("/metrics", accept=accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"\ndjango_http_requests_" in answer.content


def test_metrics_for_a_program(api: Api) -> None:
    answer = api.get("/metrics", accept="application/json")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"metrics": "ok"})


def test_a_submission_is_answered_with_the_message(api: Api) -> None:
    answer = api.post()
    assert answer.status_code == 200
    said = json.loads(answer.content)
    message = Message.objects.get()
    assert said["Message"] == "submitted"
    assert UUID(said["id"]) == message.id
    assert said["state"] == "pending"
    assert answer.headers["Location"] == said["url"]
    assert said["url"] == f"{settings.LIMBO_BASE_URL}/v1/mail/{message.id}"
    assert message.owner == api.owner


def test_the_location_is_where_the_message_is(api: Api) -> None:
    location = api.post().headers["Location"]
    answer = api.get(location.removeprefix(settings.LIMBO_BASE_URL))
    assert json.loads(answer.content)["id"] == str(Message.objects.get().id)


@pytest.mark.parametrize("empty", ["absent", None, "", []])
@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("subject", "no subject defined"),
        ("message", "no message defined"),
        ("to", "no receivers defined"),
        ("from", "no from defined"),
    ],
)
def test_a_missing_field_is_told_in_the_old_words(
    api: Api, field: str, told: str, empty: object
) -> None:
    body = {**SUBMISSION, field: empty}
    if empty == "absent":
        del body[field]
    problem = problem_of(api.post(body), 400, "invalid-request")
    assert problem["Message"] == "not submitted"
    assert problem["Problem"] == told
    assert problem["errors"] == [{"detail": told, "pointer": f"#/{field}", "code": "required"}]
    assert not Message.objects.exists()


def test_the_old_words_come_in_the_old_order(api: Api) -> None:
    body: dict[str, Any] = {"to": ["no address"], "colour": "red"}
    order = []
    for field in ("subject", "message", "to", "from"):
        problem = problem_of(api.post(body), 400, "invalid-request")
        order.append(problem["Problem"])
        body[field] = SUBMISSION[field]
    assert order[:2] == ["no subject defined", "no message defined"]
    # the receiver is there, though no address: what is missing goes before what is wrong
    assert order[2:] == ["no from defined", "no from defined"]


def test_no_receivers_come_before_no_from(api: Api) -> None:
    problem = problem_of(api.post({"subject": "a", "message": "b"}), 400, "invalid-request")
    assert problem["Problem"] == "no receivers defined"
    assert [error["pointer"] for error in problem["errors"]] == ["#/to", "#/from"]


def test_another_fault_is_told_by_the_first(api: Api) -> None:
    problem = problem_of(api.post({**SUBMISSION, "colour": "red"}), 400, "invalid-request")
    assert problem["Message"] == "not submitted"
    assert problem["Problem"] == problem["errors"][0]["detail"] == "There is no field 'colour'."


def test_one_recipient_may_be_a_string(api: Api) -> None:
    assert api.post({**SUBMISSION, "to": "ada@example.org"}).status_code == 200
    assert Message.objects.get().deliveries.get().address == "ada@example.org"


@pytest.mark.parametrize("path", ["/v1/mail", "/v1/requests", f"/v1/mail/{UUID(int=7)}", "/v1/no"])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_no_token_opens_nothing(api: Api, path: str, method: str) -> None:
    answer = getattr(api.client, method)(path)
    problem_of(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="limbo"'


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer wrong", "Bearer lk_wrong", "Token lk_é", "Basic YTpi"]
)
def test_a_bad_token_opens_nothing(api: Api, header: str) -> None:
    answer = api.client.get("/v1/mail", headers={"Authorization": header})
    problem_of(answer, 401, "unauthenticated")
    assert "WWW-Authenticate" in answer.headers


def test_whoever_has_no_token_learns_nothing_else(api: Api) -> None:
    headers = {"Accept": "text/csv"}
    problem_of(api.client.get("/v1/mail", headers=headers), 401, "unauthenticated")
    answer = api.client.post("/v1/mail", b"{", content_type="application/json")
    problem_of(answer, 401, "unauthenticated")


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer", "TOKEN"])
def test_both_schemes_are_read(api: Api, scheme: str) -> None:
    answer = api.client.get("/v1/mail", headers={"Authorization": f"{scheme} {api.token}"})
    assert answer.status_code == 200


def test_a_revoked_token_opens_nothing(api: Api) -> None:
    revoke(api.owner.api_tokens.get())
    problem_of(api.get("/v1/mail"), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("scope", "may_send", "may_read"), [(Scope.SEND, 200, 403), (Scope.READ, 403, 200)]
)
def test_a_token_may_do_what_its_scopes_say(scope: Scope, may_send: int, may_read: int) -> None:
    api = api_of(UserFactory(), scope)
    assert api.post().status_code == may_send
    for path in ("/v1/mail", "/v1/requests"):
        assert api.get(path).status_code == may_read
    assert api.get(f"/v1/mail/{make_message(owner=api.owner).id}").status_code == may_read


def test_a_missing_scope_is_a_problem() -> None:
    api = api_of(UserFactory(), Scope.READ)
    problem = problem_of(api.post(), 403, "forbidden")
    assert problem["Message"] == "not submitted"
    assert not Message.objects.exists()


def test_a_session_of_the_pages_does_not_open_the_api(api: Api) -> None:
    api.client.force_login(api.owner)
    problem_of(api.client.get("/v1/mail"), 401, "unauthenticated")


def test_a_repeat_with_the_same_key_is_answered_alike(api: Api) -> None:
    answers = [api.post(Idempotency_Key="one") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert [a.headers.get("Idempotency-Replayed") for a in answers] == [None, "true"]
    assert Message.objects.count() == 1


def test_another_request_with_the_same_key_is_a_conflict(api: Api) -> None:
    api.post(Idempotency_Key="one")
    answer = api.post({**SUBMISSION, "subject": "Other"}, Idempotency_Key="one")
    problem = problem_of(answer, 409, "idempotency-conflict")
    assert problem["Message"] == "not submitted"


def test_an_impossible_key_is_refused(api: Api) -> None:
    problem = problem_of(api.post(Idempotency_Key="x" * 257), 400, "invalid-request")
    assert problem["errors"][0]["code"] == "idempotency_key"


def test_a_user_who_is_switched_off_is_kept_out(api: Api) -> None:
    _, plain = issue_token(owner=UserFactory(is_active=False), name="old")
    answer = api.client.get("/v1/mail", headers={"Authorization": f"Bearer {plain}"})
    problem_of(answer, 401, "unauthenticated")
