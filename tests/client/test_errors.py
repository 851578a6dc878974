"""What goes wrong, as the client tells it."""

import pytest

from limbo_client import (
    ApiError,
    BrokenAnswerError,
    ConfigurationError,
    ForbiddenError,
    IdempotencyConflictError,
    InvalidRequestError,
    Limbo,
    Mail,
    ServerError,
    UnauthenticatedError,
)
from limbo_client.answers import Answer as Heard
from limbo_client.problems import problem_of
from notifications.api.problem_kinds import KINDS
from notifications.intake.tokens import issue_token
from notifications.models import RequestLog, Scope, User
from tests.client.conftest import client_of
from tests.client.test_messages import HELLO
from tests.peers.http_peer import Answer, HttpPeer


def test_every_fault_of_a_mail_is_told_at_once(limbo: Limbo, owner: User) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        limbo.send(Mail(sender="nobody", to="ada@example.org", subject="Hi", text="", priority="!"))
    problem = caught.value
    assert (problem.status, problem.kind) == (400, "invalid-request")
    assert {fault.pointer for fault in problem.errors} == {"#/message", "#/from", "#/priority"}
    assert problem.request_id == str(RequestLog.objects.get(owner=owner).request_id)
    assert str(problem) == problem.errors[0].detail


def test_a_parameter_that_is_wrong_is_named(limbo: Limbo) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        list(limbo.list(state="lost"))
    assert [fault.parameter for fault in caught.value.errors] == ["state"]


def test_a_key_for_another_mail_is_a_conflict(limbo: Limbo) -> None:
    limbo.send(HELLO, idempotency_key="k")
    other = Mail(sender="app@example.com", to="ada@example.org", subject="Other", text="Other")
    with pytest.raises(IdempotencyConflictError):
        limbo.send(other, idempotency_key="k")


def test_an_unknown_token_is_told_as_such(kind: str, url: str, transactional_db: None) -> None:
    with client_of(kind, url, "lk_unknown") as limbo, pytest.raises(UnauthenticatedError):
        limbo.send(HELLO)


def test_a_token_without_the_scope_is_told_as_such(kind: str, url: str, owner: User) -> None:
    _, plain = issue_token(owner=owner, name="reader", scopes=[Scope.READ])
    with client_of(kind, url, plain) as limbo, pytest.raises(ForbiddenError, match="`send`"):
        limbo.send(HELLO)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_problem_has_an_exception_of_its_kind(name: str) -> None:
    for status in KINDS[name].statuses:
        body = f'{{"type": "https://limbo.example/docs/errors/{name}", "detail": "Why."}}'
        problem = problem_of(Heard(status, "", {}, body.encode()))
        assert (problem.kind, str(problem)) == (name, "Why.")
        assert type(problem) is not ApiError
        assert isinstance(problem, ServerError) == (status >= 500)


@pytest.mark.parametrize("body", ["<html>", "[]", '{"errors": [1], "type": 2, "detail": null}'])
def test_a_proxy_s_error_is_told_by_its_status(kind: str, body: str) -> None:
    with HttpPeer(Answer(418, body)) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        with pytest.raises(InvalidRequestError) as caught:
            limbo.send(HELLO)
        assert (caught.value.status, caught.value.type, caught.value.errors) == (418, "", ())
        assert "418" in str(caught.value)


@pytest.mark.parametrize(
    "body", ["<html>Welcome", "[]", '{"id": 7, "state": "sent", "url": ""}', "{}"]
)
def test_what_is_not_limbo_is_told_as_such(kind: str, body: str) -> None:
    with HttpPeer(Answer(200, body)) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        for ask in (
            lambda: limbo.send(HELLO),
            lambda: list(limbo.list()),
            lambda: next(limbo.events()),
        ):
            with pytest.raises(BrokenAnswerError):
                ask()


def test_a_redirect_is_not_followed_with_the_token(kind: str) -> None:
    with HttpPeer() as elsewhere:
        with HttpPeer(Answer(302, headers={"Location": elsewhere.url})) as peer:
            limbo = client_of(kind, peer.url, "lk_x")
            with limbo, pytest.raises(ApiError) as caught:
                limbo.get("1")
        assert caught.value.status == 302
        assert elsewhere.requests == []


def test_a_newer_limbo_may_tell_more(kind: str) -> None:
    body = '{"id": "1", "state": "blessed", "url": "u", "colour": "red"}'
    with HttpPeer(Answer(200, body)) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        assert limbo.send(HELLO).state == "blessed"


@pytest.mark.parametrize(
    ("url", "token", "told"),
    [
        ("", "lk_x", "LIMBO_URL"),
        ("limbo.example", "lk_x", "LIMBO_URL"),
        ("https://", "lk_x", "LIMBO_URL"),
        ("http://limbo.example:port", "lk_x", "LIMBO_URL"),
        ("https://limbo.example", "", "LIMBO_TOKEN"),
        ("https://limbo.example", "lk_ä", "LIMBO_TOKEN"),
        ("https://limbo.example", "lk_a\nb", "LIMBO_TOKEN"),
    ],
)
def test_a_client_says_what_it_was_not_told(
    monkeypatch: pytest.MonkeyPatch, url: str, token: str, told: str
) -> None:
    monkeypatch.setenv("LIMBO_URL", url)
    monkeypatch.setenv("LIMBO_TOKEN", token)
    with pytest.raises(ConfigurationError, match=told):
        Limbo()


def test_the_environment_says_where_limbo_is(
    monkeypatch: pytest.MonkeyPatch, url: str, token: str
) -> None:
    monkeypatch.setenv("LIMBO_URL", f"{url}/")
    monkeypatch.setenv("LIMBO_TOKEN", token)
    with Limbo() as limbo:
        assert limbo.send(HELLO).state == "pending"
