"""One id ties an answer to the request log and to the logs."""

import json
import logging
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from notifications.models import RequestLog
from notifications.request_id import RequestIdFilter
from tests.api.conftest import SUBMISSION, Api
from tests.api.problems import problem_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/", "/health", "/metrics", "/v1/mail", "/v1/nothing", "/nothing", "/docs/errors"]
)
def test_every_answer_has_an_id_of_its_own(api: Api, path: str) -> None:
    first, second = (UUID(api.get(path).headers["X-Request-Id"]) for _ in range(2))
    assert first != second


def test_it_is_in_the_request_log_of_a_submission_and_of_a_refusal(api: Api) -> None:
    answers = [api.post(), api.post({**SUBMISSION, "subject": ""}), api.get("/v1/mail")]
    logged = RequestLog.objects.order_by("id").values_list("request_id", flat=True)
    assert [str(request_id) for request_id in logged] == [
        answer.headers["X-Request-Id"] for answer in answers
    ]
    shown = json.loads(api.get("/v1/requests").content)["results"]
    assert shown[0]["request_id"] == answers[-1].headers["X-Request-Id"]


def test_a_repeat_under_a_key_has_its_own(api: Api) -> None:
    answers = [api.post(Idempotency_Key="one") for _ in range(2)]
    logged = RequestLog.objects.order_by("id").values_list("request_id", flat=True)
    assert [str(id_) for id_ in logged] == [answer.headers["X-Request-Id"] for answer in answers]
    assert logged[0] != logged[1]


def test_what_the_client_sends_is_not_taken_for_it(api: Api) -> None:
    answer = api.post(X_Request_Id="forged\nline")
    assert "forged" not in answer.headers["X-Request-Id"]


def test_it_is_in_what_is_logged_meanwhile_and_in_nothing_after(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **_named: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("notifications.api.messages.read_allowed", fail)
    caplog.handler.addFilter(RequestIdFilter())
    logging_settings: dict[str, Any] = settings.LOGGING
    form = logging_settings["formatters"]["line"]
    caplog.handler.setFormatter(logging.Formatter(form["format"], style=form["style"]))
    with caplog.at_level(logging.INFO):
        answer = api.post()
        logging.getLogger("notifications.after").info("Nothing is asked.")
    problem = problem_of(answer, 500, "internal-error")
    assert f"notifications.api.errors [{problem['request_id']}]: A request failed" in caplog.text
    assert "notifications.after: Nothing is asked." in caplog.text
