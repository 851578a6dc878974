"""Idempotency-Key on the POSTs that submit nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.delivery.reading import Reading
from notifications.models import Event, IdempotencyKey, Template
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.api.test_templates import WELCOME
from tests.factories import UserFactory
from tests.stories import accepted, answered, handed_over

pytestmark = pytest.mark.django_db


def message_of(api: Api, **fields: Any) -> str:
    """Where a new message is."""
    return f"/v1/mail/{json.loads(api.post({**SUBMISSION, **fields}).content)['id']}"


def test_a_template_is_made_once(api: Api) -> None:
    first = api.post(WELCOME, path="/v1/templates", Idempotency_Key="one")
    second = api.post(WELCOME, path="/v1/templates", Idempotency_Key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert json.loads(first.content) == json.loads(second.content)
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Template.objects.count() == 1
    problem_of(api.post(WELCOME, path="/v1/templates"), 409, "name-taken")


def test_a_message_is_cancelled_once(api: Api) -> None:
    path = message_of(api)
    first = api.post({}, path=f"{path}/cancel", Idempotency_Key="one")
    second = api.post({}, path=f"{path}/cancel", Idempotency_Key="one")
    assert (first.status_code, second.status_code) == (200, 200)
    assert json.loads(first.content) == json.loads(second.content)
    assert Event.objects.filter(kind="cancelled").count() == 1
    problem_of(api.post({}, path=f"{path}/cancel"), 409, "state-forbids")


def test_a_message_is_rescheduled_once(api: Api) -> None:
    later = (timezone.now() + timedelta(hours=2)).isoformat()
    path = message_of(api, send_at=(timezone.now() + timedelta(hours=1)).isoformat())
    for _ in range(2):
        answer = api.post({"send_at": later}, path=f"{path}/reschedule", Idempotency_Key="one")
        assert answer.status_code == 200
    assert Event.objects.filter(kind="rescheduled").count() == 1


def test_a_message_is_sent_again_once(api: Api) -> None:
    message = accepted(api.owner, "ada@example.org")
    answered(handed_over(message), Reading.RECIPIENT_REFUSED, code=550)
    path = f"/v1/mail/{message.id}/retry"
    for _ in range(2):
        assert api.post({}, path=path, Idempotency_Key="one").status_code == 200
    assert Event.objects.filter(message=message, kind="pending").count() == 1
    problem_of(api.post({}, path=path, Idempotency_Key="two"), 409, "state-forbids")


def test_a_preview_is_kept_too(api: Api) -> None:
    api.post(WELCOME, path="/v1/templates")
    asked = {"variables": {"name": "Ada"}}
    path = f"/v1/templates/{WELCOME['name']}/preview"
    first = api.post(asked, path=path, Idempotency_Key="one")
    second = api.post(asked, path=path, Idempotency_Key="one")
    assert (first.status_code, first.content) == (200, second.content)


def test_the_same_key_at_another_address_is_another_request(api: Api) -> None:
    path = message_of(api)
    api.post({}, path=f"{path}/cancel", Idempotency_Key="one")
    problem_of(
        api.post({}, path=f"{path}/retry", Idempotency_Key="one"), 409, "idempotency-conflict"
    )
    problem_of(api.post(Idempotency_Key="one"), 409, "idempotency-conflict")
    other = api_of(UserFactory())
    assert other.post(Idempotency_Key="one").status_code == 200


def test_after_a_refusal_the_key_is_free(api: Api) -> None:
    wrong = api.post({**WELCOME, "subject": "{{ x"}, path="/v1/templates", Idempotency_Key="one")
    problem_of(wrong, 422, "impossible-request")
    assert not IdempotencyKey.objects.exists()
    assert api.post(WELCOME, path="/v1/templates", Idempotency_Key="one").status_code == 201


@pytest.mark.parametrize("key", ["", "a" * 257, "ä"])
def test_an_impossible_key_is_refused(api: Api, key: str) -> None:
    answer = api.post(WELCOME, path="/v1/templates", Idempotency_Key=key)
    problem_of(answer, 400, "invalid-request")
    assert not Template.objects.exists()
