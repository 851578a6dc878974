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


def _wrong_fields(operation: Operation) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is wrong, the pointer to it, and the body that has it."""
    form: dict[str, Any] = operation.form or {}
    right = BODIES[operation.name]
    for name, field in form["properties"].items():
        for why, value in wrong_values(field, right.get(name)):
            yield f"{name} {why}", f"/{quote(name)}", {**right, name: value}
    for name in form.get("required", ()):
        less = {key: value for key, value in right.items() if key != name}
        yield f"{name} is missing", f"/{name}", less
    yield "colour is unknown", "/colour", {**right, "colour": "red"}


@pytest.mark.parametrize("operation", _WITH_BODY, ids=lambda one: one.name)
def test_a_field_that_is_wrong_is_named_and_changes_nothing(
    stocked: Api, operation: Operation
) -> None:
    before = _stored()
    for why, pointer, body in _wrong_fields(operation):
        answer = operation.ask(stocked, body)
        assert answer.status_code in {400, 422}, (why, answer.content)
        problem = problem_in(answer, {400, 422})
        named = [error["pointer"] for error in problem["errors"]]
        is_named = [one == f"#{pointer}" or one.startswith(f"#{pointer}/") for one in named]
        assert any(is_named), (why, problem)
    assert _stored() == before


def _wrong_parameters(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is wrong, and the query that has it."""
    for parameter in operation.parameters:
        is_text = parameter["schema"]["type"] == "string"
        for why, value in wrong_values(parameter["schema"], None):
            # all is text in a query
            if isinstance(value, str) or (isinstance(value, int) and not is_text):
                yield f"{parameter['name']} {why}", {parameter["name"]: value}
    yield "colour is unknown", {"colour": "red"}


@pytest.mark.parametrize(
    "operation",
    [one for one in operations() if one.method == "GET"],
    ids=lambda one: one.name,
)
def test_a_parameter_that_is_wrong_is_named(stocked: Api, operation: Operation) -> None:
    for why, query in _wrong_parameters(operation):
        answer = operation.ask(stocked, **query)
        assert answer.status_code in {400, 422}, (why, answer.content)
        problem = problem_in(answer, {400, 422})
        assert {error["parameter"] for error in problem["errors"]} == set(query), (why, problem)
