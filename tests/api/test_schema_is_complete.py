"""Every operation says all that a developer needs: words, examples that are right, headers."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.test import Client

from notifications.api.problem_kinds import KINDS

pytestmark = pytest.mark.django_db

Operation = tuple[str, dict[str, Any]]


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    """The schema as it is served."""
    members: dict[str, Any] = json.loads(client.get("/v1/schema").content)
    return members


def operations(schema: dict[str, Any]) -> Iterator[Operation]:
    """Every operation with its name."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] != "schema_retrieve":
                yield f"{method} {path}", operation


def validate(schema: dict[str, Any], form: dict[str, Any], value: object) -> None:
    """Fail unless `value` is of the `form`."""
    jsonschema.validate(
        value,
        {**form, "components": schema["components"]},
        jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def test_every_operation_has_a_summary_and_says_what_its_errors_mean(
    schema: dict[str, Any],
) -> None:
    for name, operation in operations(schema):
        assert operation["summary"], name
        for status, response in operation["responses"].items():
            assert status < "400" or response["description"], (name, status)


def test_every_json_answer_has_an_example_that_is_one(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/json")
            assert status != "200" or content, name
            if content is not None:
                validate(schema, content["schema"], content["example"])


def test_every_body_has_an_example_that_is_one(schema: dict[str, Any]) -> None:
    for _, operation in operations(schema):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            validate(schema, content["schema"], content["schema"]["example"])


def test_every_problem_has_examples_that_are_it(schema: dict[str, Any]) -> None:
    shown = set()
    for name, operation in operations(schema):
        for status, response in operation["responses"].items():
            if status < "400":
                continue
            content = response["content"]["application/problem+json"]
            assert content["examples"], (name, status)
            for kind, example in content["examples"].items():
                validate(schema, content["schema"], example["value"])
                assert example["value"]["status"] == int(status)
                assert example["value"]["type"].endswith(f"/{kind}")
                shown.add(kind)
    # those that come from before any operation
    assert KINDS.keys() - shown <= {"method-not-allowed", "not-acceptable", "internal-error"}


def test_every_answer_names_its_headers(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        for status, response in operation["responses"].items():
            headers = set(response["headers"])
            assert "X-Request-Id" in headers, (name, status)
            assert status not in ("429", "503") or "Retry-After" in headers, (name, status)
            assert status != "401" or "WWW-Authenticate" in headers, (name, status)
            assert status != "201" or "Location" in headers, (name, status)
    told = schema["paths"]["/v1/mail"]["post"]["responses"]["200"]["headers"]
    assert told.keys() >= {"Location", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy"}
