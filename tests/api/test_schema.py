"""The schema is valid, complete, and what the API really answers."""

import json
from typing import Any

import jsonschema
import pytest
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client

from notifications.models import Message, Scope
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.factories import (
    AttemptFactory,
    EventFactory,
    HandoffFactory,
    HeartbeatFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    """The schema as it is served."""
    members: dict[str, Any] = json.loads(client.get("/v1/schema").content)
    return members


def check(schema: dict[str, Any], path: str, method: str, answer: HttpResponse) -> None:
    """Fail unless `answer` is among those that the schema gives for the operation."""
    response = schema["paths"][path][method]["responses"][str(answer.status_code)]
    form = response["content"][answer.headers["Content-Type"].partition(";")[0]]["schema"]
    whole = {**form, "components": schema["components"]}
    jsonschema.validate(
        json.loads(answer.content),
        whole,
        jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def test_it_is_valid_and_made_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_it_is_openapi_3_1_and_needs_no_token(client: Client) -> None:
    answer = client.get("/v1/schema")
    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"].startswith("3.1")


def test_it_comes_as_yaml_too(client: Client) -> None:
    answer = client.get("/v1/schema", headers={"Accept": "application/vnd.oai.openapi"})
    assert answer.content.startswith(b"openapi: 3.1")


def test_it_has_every_operation(schema: dict[str, Any]) -> None:
    operations = {(path, method) for path, methods in schema["paths"].items() for method in methods}
    assert operations == {
        ("/", "get"),
        ("/health", "get"),
        ("/ready", "get"),
        ("/metrics", "get"),
        ("/v1/mail", "get"),
        ("/v1/mail", "post"),
        ("/v1/mail/batch", "post"),
        ("/v1/mail/{message_id}", "get"),
        ("/v1/mail/{message_id}/events", "get"),
        ("/v1/mail/{message_id}/content", "get"),
        ("/v1/mail/{message_id}/cancel", "post"),
        ("/v1/mail/{message_id}/retry", "post"),
        ("/v1/mail/{message_id}/reschedule", "post"),
        ("/v1/events", "get"),
        ("/v1/stats", "get"),
        ("/v1/requests", "get"),
        ("/v1/tokens", "get"),
        ("/v1/tokens", "post"),
        ("/v1/tokens/{token_id}", "get"),
        ("/v1/tokens/{token_id}", "delete"),
        ("/v1/templates", "get"),
        ("/v1/templates", "post"),
        ("/v1/templates/{template}", "get"),
        ("/v1/templates/{template}", "patch"),
        ("/v1/templates/{template}", "delete"),
        ("/v1/templates/{template}/versions", "get"),
        ("/v1/templates/{template}/preview", "post"),
        ("/v1/schema", "get"),
    }


def test_it_names_every_parameter_of_a_list(schema: dict[str, Any]) -> None:
    parameters = schema["paths"]["/v1/mail"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {
        "state",
        "recipient",
        "created_after",
        "created_before",
        "from",
        "tag",
        "metadata",
        "provider",
        "q",
        "cursor",
        "limit",
    }


def test_its_example_is_taken(api: Api, schema: dict[str, Any]) -> None:
    body = schema["paths"]["/v1/mail"]["post"]["requestBody"]["content"]["application/json"]
    assert api.post(body["schema"]["example"]).status_code == 200


def test_the_answers_to_a_batch_are_as_it_says(api: Api, schema: dict[str, Any]) -> None:
    batch = {"messages": [SUBMISSION, {"to": 7}]}
    check(schema, "/v1/mail/batch", "post", api.post(batch, path="/v1/mail/batch"))


def test_the_answers_about_tokens_are_as_it_says(api: Api, schema: dict[str, Any]) -> None:
    body = schema["paths"]["/v1/tokens"]["post"]["requestBody"]["content"]["application/json"]
    made = api.post(body["schema"]["example"], path="/v1/tokens")
    assert made.status_code == 201
    check(schema, "/v1/tokens", "post", made)
    check(schema, "/v1/tokens", "get", api.get("/v1/tokens"))
    one = api.get(f"/v1/tokens/{json.loads(made.content)['id']}")
    check(schema, "/v1/tokens/{token_id}", "get", one)


def test_the_answers_are_as_it_says(api: Api, schema: dict[str, Any]) -> None:
    check(schema, "/v1/mail", "post", api.post())
    message = Message.objects.get()
    AttemptFactory(handoff=HandoffFactory(message=message), delivery=message.deliveries.get())
    check(schema, "/v1/mail/{message_id}", "get", api.get(f"/v1/mail/{message.id}"))
    check(schema, "/v1/mail", "get", api.get("/v1/mail"))
    said = api.get(f"/v1/mail/{message.id}/content")
    check(schema, "/v1/mail/{message_id}/content", "get", said)
    EventFactory(message=message, seq=2)
    events = api.get(f"/v1/mail/{message.id}/events")
    check(schema, "/v1/mail/{message_id}/events", "get", events)
    check(schema, "/v1/events", "get", api.get("/v1/events"))
    EventFactory(message=message, seq=3, kind="sent", data={"provider": "sink"})
    check(schema, "/v1/stats", "get", api.get("/v1/stats", interval="hour"))
    check(schema, "/v1/requests", "get", api.get("/v1/requests"))
    HeartbeatFactory()
    for path in ("/", "/health", "/ready", "/metrics"):
        check(schema, path, "get", api.get(path))


def test_templates_are_as_it_says(api: Api, schema: dict[str, Any]) -> None:
    one, preview = "/v1/templates/{template}", "/v1/templates/{template}/preview"
    bodies = {
        path: schema["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
        for path, method in (("/v1/templates", "post"), (one, "patch"), (preview, "post"))
    }
    new = bodies["/v1/templates"]["example"]
    check(schema, "/v1/templates", "post", api.post(new, path="/v1/templates"))
    check(schema, "/v1/templates", "post", api.post(new, path="/v1/templates"))
    check(schema, "/v1/templates", "get", api.get("/v1/templates"))
    path = f"/v1/templates/{new['name']}"
    check(schema, one, "get", api.get(path))
    check(schema, one, "get", api.get(path, version=9))
    check(schema, one, "patch", api.patch(path, bodies[one]["example"]))
    check(schema, one, "patch", api.patch(path, {"text": "{{ 1 + 1 }}"}))
    check(schema, f"{one}/versions", "get", api.get(f"{path}/versions"))
    check(schema, preview, "post", api.post(bodies[preview]["example"], path=f"{path}/preview"))
    check(schema, preview, "post", api.post({}, path=f"{path}/preview"))
    assert api.delete(path).status_code == 204
    check(schema, one, "delete", api.delete(path))


def test_the_problems_are_as_it_says(api: Api, schema: dict[str, Any]) -> None:
    check(schema, "/v1/mail", "post", api.post({**SUBMISSION, "to": [1, "x"], "colour": 2}))
    check(schema, "/v1/mail", "post", api.post(b"{"))
    check(schema, "/v1/mail", "post", api.post(content_type="text/plain"))
    check(
        schema, "/v1/mail", "post", api.post(b'"' + b"x" * settings.LIMBO_MAX_REQUEST_OCTETS + b'"')
    )
    api.post(Idempotency_Key="one")
    other = api.post({**SUBMISSION, "subject": "x"}, Idempotency_Key="one")
    check(schema, "/v1/mail", "post", other)
    check(schema, "/v1/mail", "get", api.get("/v1/mail", state="lost"))
    api.token = "lk_wrong"
    check(schema, "/v1/mail", "get", api.get("/v1/mail"))
    reader = api_of(UserFactory(), Scope.READ)
    check(schema, "/v1/mail", "post", reader.post())
    missing = reader.get("/v1/mail/00000000-0000-0000-0000-000000000000")
    check(schema, "/v1/mail/{message_id}", "get", missing)
    check(schema, "/ready", "get", api.get("/ready"))
