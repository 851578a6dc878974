"""Every field and parameter of every operation, each wrong in every way that its form rules out.

The cases are made from the description, so that a new field is tried as soon as it is described.
Whatever is wrong, the answer names where, and nothing is stored or changed.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from notifications.models import ApiToken, Content, Delivery, Event, Message, Template
from tests.api.conftest import SUBMISSION, Api
from tests.api.described import BODIES, TOMORROW, Operation, operations
from tests.api.problems import problem_in
from tests.api.wrong_values import wrong_values

pytestmark = pytest.mark.django_db

_WITH_BODY = [one for one in operations() if one.form is not None]


@pytest.fixture
def stocked(api: Api) -> Api:
    """A user who has a scheduled message and a template."""
    assert api.post({**SUBMISSION, "send_at": TOMORROW}).status_code == 200
    template = {"name": "welcome", "subject": "Hello {{ name }}", "text": "Hello."}
    assert api.post(template, path="/v1/templates").status_code == 201
    return api


def _stored() -> list[Any]:
    """All that a request could have made or changed."""
    tables = (Message, Delivery, Content, Event, Template, ApiToken)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def _wrong_fields() -> Iterator[Any]:
    for operation in _WITH_BODY:
        form: dict[str, Any] = operation.form or {}
        fields = [
            (f"/{quote(name)}", name, why, value) for name, why, value in _of(operation, form)
        ]
        for pointer, name, why, value in fields:
            yield pytest.param(
                operation,
                pointer,
                {**BODIES[operation.name], name: value},
                id=f"{operation.name}: {name} {why}",
            )
        for name in form.get("required", ()):
            less = {key: value for key, value in BODIES[operation.name].items() if key != name}
            yield pytest.param(operation, f"/{name}", less, id=f"{operation.name}: {name} missing")


def _of(operation: Operation, form: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, field in form["properties"].items():
        for why, value in wrong_values(field, BODIES[operation.name].get(name)):
            yield name, why, value
    yield "colour", "unknown", "red"


@pytest.mark.parametrize(("operation", "pointer", "body"), list(_wrong_fields()))
def test_a_field_that_is_wrong_is_named_and_changes_nothing(
    stocked: Api, operation: Operation, pointer: str, body: dict[str, Any]
) -> None:
    before = _stored()
    problem = problem_in(operation.ask(stocked, body), {400, 422})
    named = [error["pointer"] for error in problem["errors"]]
    assert any(one == f"#{pointer}" or one.startswith(f"#{pointer}/") for one in named), problem
    assert _stored() == before


def _wrong_parameters() -> Iterator[Any]:
    for operation in operations():
        for parameter in operation.parameters:
            is_text = parameter["schema"]["type"] == "string"
            for why, value in wrong_values(parameter["schema"], None):
                # all is text in a query
                if isinstance(value, str) or (isinstance(value, int) and not is_text):
                    query = {parameter["name"]: value}
                    name = f"{operation.name}: {parameter['name']} {why}"
                    yield pytest.param(operation, query, id=name)
        if operation.method == "GET":
            yield pytest.param(operation, {"colour": "red"}, id=f"{operation.name}: unknown")


@pytest.mark.parametrize(("operation", "query"), list(_wrong_parameters()))
def test_a_parameter_that_is_wrong_is_named(
    stocked: Api, operation: Operation, query: dict[str, Any]
) -> None:
    problem = problem_in(operation.ask(stocked, **query), {400, 422})
    assert {error["parameter"] for error in problem["errors"]} == set(query), problem
