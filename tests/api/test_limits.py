"""Limits of what a user submits: requests a second and messages a day."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from notifications.checks import check_settings
from notifications.models import IdempotencyKey, Message, RequestLog, SendingLimit
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def limit(api: Api, *, rate: int | None = None, quota: int | None = None) -> None:
    """Give the user limits of his own."""
    SendingLimit.objects.create(owner=api.owner, requests_per_second=rate, messages_per_day=quota)


def let_pass(seconds: float) -> None:
    """As if so much time had passed."""
    SendingLimit.objects.update(filled_at=F("filled_at") - timedelta(seconds=seconds))


def batch(api: Api, count: int) -> Any:
    """Submit so many messages at once."""
    return api.post({"messages": [SUBMISSION] * count}, path="/v1/mail/batch")


def test_without_limits_nothing_is_counted(api: Api) -> None:
    answer = api.post()
    assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in answer.headers
    assert not SendingLimit.objects.exists()


def test_a_days_messages_are_counted_and_then_refused(api: Api) -> None:
    limit(api, quota=2)
    first, second = api.post(), api.post()
    assert first.headers["RateLimit-Policy"] == '"messages";q=2;w=86400'
    assert first.headers["RateLimit"] == '"messages";r=1;t=43200'
    assert second.headers["RateLimit"].startswith('"messages";r=0;t=86')
    answer = api.post()
    problem = problem_of(answer, 429, "quota-used-up")
    assert problem["Message"] == "not submitted"
    assert 43190 <= int(answer.headers["Retry-After"]) <= 43200
    assert answer.headers["RateLimit-Policy"] == '"messages";q=2;w=86400'
    assert Message.objects.count() == 2
    assert RequestLog.objects.filter(status=429).count() == 1


def test_limits_hold_from_the_next_request_after_they_are_set_or_lifted(api: Api) -> None:
    assert "RateLimit" not in api.post().headers
    limit(api, quota=1)
    assert api.post().headers["RateLimit"].startswith('"messages";r=0;')
    problem_of(api.post(), 429, "quota-used-up")
    SendingLimit.objects.update(messages_per_day=None)
    answers = [api.post() for _ in range(2)]
    assert [(answer.status_code, "RateLimit" in answer.headers) for answer in answers] == [
        (200, False),
        (200, False),
    ]
    assert Message.objects.count() == 4


def test_a_submission_costs_one_statement_with_limits_and_without(api: Api) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.post().status_code == 200
        return len(queries)

    api.post()  # the token is known from now on
    assert statements() == 1
    limit(api, quota=100)
    assert [statements(), statements()] == [2, 1]
    SendingLimit.objects.update(messages_per_day=None)
    assert [statements(), statements()] == [1, 1]


def test_what_was_used_comes_back_steadily(api: Api) -> None:
    limit(api, quota=2)
    api.post(), api.post()
    let_pass(43190)
    assert api.post().status_code == 429
    let_pass(20)
    assert api.post().status_code == 200
    assert api.post().status_code == 429
    let_pass(10 * 86_400)
    assert [api.post().status_code for _ in range(3)] == [200, 200, 429]


def test_requests_a_second_are_counted(api: Api) -> None:
    limit(api, rate=3)
    answers = [api.post() for _ in range(5)]
    assert [answer.status_code for answer in answers][:3] == [200, 200, 200]
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=3;w=1'
    refused = [answer for answer in answers if answer.status_code != 200]
    for answer in refused:
        problem_of(answer, 429, "rate-limited")
        assert answer.headers["Retry-After"] == "1"
    let_pass(2)
    assert api.post().status_code == 200


def test_a_batch_is_one_request_and_as_many_messages_as_are_stored(api: Api) -> None:
    limit(api, rate=1, quota=5)
    answer = api.post({"messages": [*[SUBMISSION] * 3, {}]}, path="/v1/mail/batch")
    assert answer.headers["RateLimit"].startswith('"requests";r=0;t=1, "messages";r=2;')
    let_pass(1)
    problem_of(batch(api, 3), 429, "quota-used-up")
    let_pass(1)
    assert batch(api, 2).status_code == 200
    assert Message.objects.count() == 5


def test_more_than_a_days_messages_at_once_are_never_possible(api: Api) -> None:
    limit(api, quota=2)
    problem = problem_of(batch(api, 3), 422, "impossible-request")
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (
        "#/messages",
        "quota",
    )
    assert not Message.objects.exists()
    assert batch(api, 2).status_code == 200


def test_what_is_refused_is_not_counted_and_leaves_its_key_free(api: Api) -> None:
    limit(api, quota=1)
    assert api.post(Idempotency_Key="one").status_code == 200
    assert api.post(Idempotency_Key="two").status_code == 429
    assert api.post(Idempotency_Key="one").headers["Idempotency-Replayed"] == "true"
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["one"]
    assert api.post({**SUBMISSION, "to": "nobody"}).status_code == 422
    let_pass(86_400)
    assert api.post(Idempotency_Key="two").status_code == 200


def test_limits_for_all_hold_for_whoever_has_none_of_his_own(api: Api, settings: Settings) -> None:
    settings.LIMBO_REQUESTS_PER_SECOND, settings.LIMBO_MESSAGES_PER_DAY = 100, 1
    other = api_of(UserFactory())
    limit(other, quota=2)
    assert [api.post().status_code for _ in range(2)] == [200, 429]
    assert [other.post().status_code for _ in range(3)] == [200, 200, 429]
    policy = other.post().headers["RateLimit-Policy"]
    assert policy == '"requests";q=100;w=1, "messages";q=2;w=86400'
    assert batch(api_of(UserFactory()), 2).status_code == 422


def test_one_users_limits_leave_others_alone(api: Api) -> None:
    limit(api, quota=1)
    assert [api.post().status_code for _ in range(2)] == [200, 429]
    assert api_of(UserFactory()).post().status_code == 200


def test_reading_is_not_limited(api: Api) -> None:
    limit(api, rate=1)
    assert [api.get("/v1/mail").status_code for _ in range(5)] == [200] * 5


@pytest.fixture
def many(transactional_db: None) -> Api:
    """A user whose application asks from many threads."""
    return api_of(UserFactory())


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_do_not_go_beyond(many: Api) -> None:
    limit(many, quota=7)
    start = Barrier(20)

    def ask(_: int) -> int:
        try:
            start.wait()
            return Api(many.owner, many.token).post().status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask, range(20)))
    assert sorted(statuses) == [200] * 7 + [429] * 13
    assert Message.objects.count() == 7
    assert json.loads(many.get("/v1/mail").content)["results"]


@pytest.mark.parametrize("name", ["LIMBO_REQUESTS_PER_SECOND", "LIMBO_MESSAGES_PER_DAY"])
def test_a_negative_limit_fails_the_start(settings: Settings, name: str) -> None:
    setattr(settings, name, -1)
    (problem,) = [one for one in check_settings() if one.id == "limbo.E016"]
    assert name in problem.msg
    assert problem.hint
