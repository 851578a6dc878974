"""Every error is a problem, also where no API view is at work; and a 5xx says only what is true."""

import logging
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.http import HttpResponse
from pytest_django import Settings

from notifications.models import IdempotencyKey, Message, RequestLog
from notifications.models.wakeup import connection_parameters
from tests.api.conftest import Api
from tests.api.problems import problem_of

pytestmark = pytest.mark.django_db


def test_an_unknown_address_of_the_api_is_a_problem(api: Api) -> None:
    for path in ("/v1", "/v1/", "/v1/mail/", "/v1/mail/7", "/v1/nothing", "/v1/requests/1"):
        problem_of(api.get(path), 404, "not-found")
        problem_of(api.post(path=path), 404, "not-found")


def test_an_unknown_address_is_a_problem_for_a_program(api: Api) -> None:
    problem_of(api.client.get("/nothing"), 404, "not-found")


def test_an_unknown_address_is_a_page_for_a_browser(api: Api) -> None:
    answer = api.client.get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONJURE"])
@pytest.mark.parametrize("path", ["/v1/mail", "/v1/requests", "/health", "/"])
def test_another_method_is_not_allowed(api: Api, method: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = api.client.generic(method, path, headers=headers)
    problem_of(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]
    assert method not in answer.headers["Allow"]


def test_head_is_get_without_a_body(api: Api) -> None:
    answer = api.client.head("/v1/mail", headers={"Authorization": f"Bearer {api.token}"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_wrong_host_is_a_problem(api: Api, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["limbo.example"]
    answer = api.client.get("/health", headers={"Host": "evil.example"})
    problem_of(answer, 400, "malformed-request")


def test_what_nobody_foresaw_is_a_problem_that_tells_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **_named: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("notifications.api.messages.read_allowed", fail)
    with caplog.at_level(logging.ERROR, "notifications.api"):
        answer = api.post()
    problem_of(answer, 500, "internal-error")
    assert b"secret" not in answer.content
    assert "RuntimeError: secret" in caplog.text
    assert RequestLog.objects.get().status == 500


@pytest.fixture
def away(transactional_db: None, api: Api) -> Iterator[None]:
    """A database that does not take connections."""
    connection.close()
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = 1
    yield
    connection.settings_dict["PORT"] = port


@pytest.fixture
def read_only(transactional_db: None, api: Api) -> Iterator[None]:
    """A database that takes no writes, as a standby."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    yield
    connection.close()


def expect_unavailable(answer: HttpResponse) -> None:
    """A problem that can be waited out, and that does not say that nothing was stored."""
    problem = problem_of(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    # the answer of a commit may have been lost: then the message is there
    assert "Message" not in problem


@pytest.mark.usefixtures("away")
def test_a_database_that_is_away_is_said_to_be(api: Api) -> None:
    expect_unavailable(api.post())
    expect_unavailable(api.get("/v1/mail"))
    expect_unavailable(api.get("/v1/nothing"))


@pytest.mark.django_db(transaction=True)
def test_it_works_again_when_the_database_is_back(api: Api) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(**connection_parameters(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    expect_unavailable(api.post())
    # as at the end of each request outside of tests
    connection.close_if_unusable_or_obsolete()
    assert api.post().status_code == 200
    assert Message.objects.count() == 1


@pytest.mark.parametrize("key", [{}, {"Idempotency_Key": "one"}])
@pytest.mark.usefixtures("read_only")
def test_a_database_that_only_reads_stores_nothing_and_says_so(
    api: Api, key: dict[str, str]
) -> None:
    expect_unavailable(api.post(**key))
    assert not Message.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.usefixtures("read_only")
def test_a_database_that_only_reads_is_read(api: Api) -> None:
    assert api.get("/v1/mail").status_code == 200
