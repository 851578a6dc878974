"""A request of the API is nobody's session, and is counted like any other."""

import json

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.api.conftest import SUBMISSION, Api
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_session_opens_nothing_in_the_api(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = Client()
    client.force_login(UserFactory())
    with django_assert_num_queries(1):
        # the line of the request log
        answer = client.get("/v1/mail")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_a_session_beside_a_token_costs_nothing(
    api: Api, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    api.post()
    api.client.force_login(UserFactory())
    with django_assert_num_queries(1):
        answer = api.client.post(
            "/v1/mail",
            json.dumps(SUBMISSION),
            content_type="application/json",
            headers={"Authorization": f"Bearer {api.token}"},
        )
    assert answer.status_code == 200


def test_pages_keep_their_guards() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in/", {}).status_code == 403
    assert client.get("/sign-in/").headers["X-Frame-Options"] == "DENY"


def test_each_answer_is_counted_by_its_view(api: Api) -> None:
    def counted() -> float:
        lines = api.get("/metrics", accept="text/plain").content.decode().splitlines()
        name = "django_http_responses_total_by_status_view_method_total"
        label = '{method="POST",status="200",view="api:messages"}'
        found = [line for line in lines if line.startswith(name + label)]
        return float(found[0].split()[-1]) if found else 0.0

    before = counted()
    api.post()
    api.post()
    assert counted() == before + 2
