"""The request log has one line for each request of `/v1/`, whatever became of it."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import Settings

from notifications.models import ApiToken, Message, RequestLog, Scope
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import RequestLogFactory, make_message

pytestmark = pytest.mark.django_db


def lines() -> list[tuple[str, str, int]]:
    """What was logged, in order."""
    return list(RequestLog.objects.order_by("id").values_list("method", "path", "status"))


def own_token(api: Api) -> UUID:
    """The first token of the application's owner."""
    return ApiToken.objects.filter(owner=api.owner).order_by("id")[0].id


def test_a_submission_has_one_line_with_its_message(api: Api) -> None:
    api.post()
    line = RequestLog.objects.get()
    assert (line.owner, line.method, line.path, line.status) == (api.owner, "POST", "/v1/mail", 200)
    assert line.message_id == Message.objects.get().id
    assert line.token_id == own_token(api)
    assert line.address == "127.0.0.1"


def test_a_repeat_has_its_line_too(api: Api) -> None:
    for _ in range(2):
        api.post(Idempotency_Key="one")
    assert lines() == [("POST", "/v1/mail", 200)] * 2


def test_refused_requests_have_their_lines(api: Api) -> None:
    api.post({**SUBMISSION, "subject": ""})
    api.post(b"{")
    api.post(b"{}", content_type="text/plain")
    api.post(b'"' + b"x" * settings.LIMBO_MAX_REQUEST_OCTETS + b'"')
    api.post(path="/v1/requests")
    api.get("/v1/mail/00000000-0000-0000-0000-000000000000")
    api.get("/v1/nothing")
    api.get("/v1/mail", state="lost")
    assert [status for _, _, status in lines()] == [400, 400, 415, 413, 405, 404, 404, 400]
    assert set(RequestLog.objects.values_list("owner", "message_id")) == {(api.owner.pk, None)}
    assert set(RequestLog.objects.values_list("token_id", flat=True)) == {own_token(api)}


def test_a_request_that_its_token_does_not_allow_has_that_token(api: Api) -> None:
    reader = api_of(api.owner, Scope.READ)
    assert reader.post().status_code == 403
    used = ApiToken.objects.exclude(id=own_token(api)).get()
    assert RequestLog.objects.get().token_id == used.id


def test_a_request_without_a_user_belongs_to_nobody(api: Api) -> None:
    api.client.get("/v1/mail", headers={"Authorization": "Bearer lk_wrong"})
    line = RequestLog.objects.get()
    assert (line.owner, line.status) == (None, 401)


def test_reading_has_its_line(api: Api) -> None:
    message = make_message(owner=api.owner)
    api.get(f"/v1/mail/{message.id}")
    assert lines() == [("GET", f"/v1/mail/{message.id}", 200)]


def test_what_is_not_the_api_has_no_line(api: Api) -> None:
    for path in ("/", "/health", "/ready", "/metrics", "/nothing"):
        api.get(path)
    assert lines() == []


def test_a_user_reads_the_own_log_newest_first(api: Api) -> None:
    RequestLogFactory()
    RequestLogFactory(owner=None, status=401)
    api.post({**SUBMISSION, "subject": ""})
    api.post()
    submitted, refused = json.loads(api.get("/v1/requests").content)["results"]
    assert (refused["status"], refused["message_id"]) == (400, None)
    assert submitted["message_id"] == str(Message.objects.get().id)
    assert set(submitted) == {
        "at",
        "request_id",
        "method",
        "path",
        "status",
        "address",
        "duration_ms",
        "message_id",
        "token_id",
    }


def test_neither_query_nor_token_nor_body_is_logged(api: Api) -> None:
    api.get("/v1/mail", recipient="secret@example.org")
    api.post({**SUBMISSION, "subject": "secret", "message": "secret", "colour": "secret"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT r::text FROM notifications_requestlog r")
        rows = str(cursor.fetchall())
    assert "secret" not in rows
    assert api.token[11:] not in rows


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/v1/%00", "/v1/%00"),
        ("/v1/ü", "/v1/%C3%BC"),
        ("/v1/" + "x" * 5000, "/v1/" + "x" * 2044),
    ],
)
def test_a_strange_path_is_logged_in_a_form_that_can_be_stored(
    api: Api, path: str, logged: str
) -> None:
    api.get(path)
    assert lines() == [("GET", logged, 404)]


def test_an_invented_method_is_logged_as_far_as_it_fits(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = api.client.generic("MKCALENDAR", "/v1/mail", headers=headers)
    problem_of(answer, 405, "method-not-allowed")
    assert lines() == [("MKCALEND", "/v1/mail", 405)]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "192.0.2.1", "127.0.0.1"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.9, 192.0.2.1", "192.0.2.1"),
        (2, "198.51.100.9, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
        (2, "192.0.2.1", "192.0.2.1"),
        (1, "", "127.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "nonsense", None),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_only_what_trusted_proxies_say_of_the_client_is_believed(
    api: Api, settings: Settings, proxies: int, forwarded: str, address: str | None
) -> None:
    settings.LIMBO_TRUSTED_PROXIES = proxies
    headers = {"Authorization": f"Bearer {api.token}", "X-Forwarded-For": forwarded}
    api.client.get("/v1/mail", headers=headers)
    assert RequestLog.objects.get().address == address


@pytest.mark.django_db(transaction=True)
def test_a_log_that_cannot_be_written_takes_nothing_from_the_answer(api: Api) -> None:
    def forbid(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE notifications_requestlog {statement}")

    forbid("ADD CONSTRAINT no CHECK (status < 0)")
    try:
        answers: list[Any] = [api.get("/v1/mail"), api.get("/v1/nothing")]
    finally:
        forbid("DROP CONSTRAINT no")
    assert [answer.status_code for answer in answers] == [200, 404]
    assert lines() == []
