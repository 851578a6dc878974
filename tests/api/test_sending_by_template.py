"""`template` and `variables` on POST /v1/mail: a template says what the caller does not."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.intake.errors import ImpossibleRequestError
from notifications.intake.templates import shelf
from notifications.intake.templates.variables import read_variables
from notifications.models import Message
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.api.test_templates import change, create
from tests.factories import TemplateFactory, TemplateVersionFactory, UserFactory

pytestmark = pytest.mark.django_db

BY_TEMPLATE: dict[str, Any] = {
    "from": "App <app@example.com>",
    "to": ["Ada <ada@example.org>"],
    "template": "welcome",
    "variables": {"name": "Ada & Bob"},
}


def sent(api: Api, **fields: Any) -> Message:
    """The message that a submission made."""
    answer = api.post({**BY_TEMPLATE, **fields})
    assert answer.status_code == 200, answer.content
    return Message.objects.get(id=json.loads(answer.content)["id"])


def refused(api: Api, status: int = 422, **fields: Any) -> list[tuple[str, str]]:
    """Where and why a submission is refused; nothing is stored."""
    kind = {400: "invalid-request", 422: "impossible-request"}[status]
    problem = problem_of(api.post({**BY_TEMPLATE, **fields}), status, kind)
    assert problem["Message"] == "not submitted"
    assert not Message.objects.exists()
    return [(fault["pointer"], fault["code"]) for fault in problem["errors"]]


def test_the_message_says_what_the_template_says(api: Api) -> None:
    made = create(api)
    message = sent(api)
    assert message.subject == "Welcome, Ada & Bob"
    assert message.content.text == "Dear Ada & Bob."
    assert message.content.html == "<p>Dear Ada &amp; Bob.</p>"
    shown = json.loads(api.get(f"/v1/mail/{message.id}").content)
    assert shown["subject"] == "Welcome, Ada & Bob"
    assert shown["template"] == {"id": made["id"], "name": "welcome", "version": 1}


def test_a_message_of_the_callers_own_has_no_template(api: Api) -> None:
    message = json.loads(api.post().content)
    shown = json.loads(api.get(f"/v1/mail/{message['id']}").content)
    assert shown["template"] is None


def test_a_template_is_named_by_its_id_too(api: Api) -> None:
    assert sent(api, template=create(api)["id"]).subject == "Welcome, Ada & Bob"


def test_a_new_version_changes_what_is_sent_from_then_on(api: Api) -> None:
    create(api)
    first = sent(api)
    change(api, subject="Hello, {{ name }}")
    second = sent(api)
    third = sent(api, template_version=1)
    for message, subject, version in (
        (first, "Welcome, Ada & Bob", 1),
        (second, "Hello, Ada & Bob", 2),
        (third, "Welcome, Ada & Bob", 1),
    ):
        shown = json.loads(api.get(f"/v1/mail/{message.id}").content)
        assert (shown["subject"], shown["template"]["version"]) == (subject, version)


def test_history_outlives_the_template(api: Api) -> None:
    create(api)
    message = sent(api)
    assert api.delete("/v1/templates/welcome").status_code == 204
    shown = json.loads(api.get(f"/v1/mail/{message.id}").content)
    assert (shown["template"]["name"], shown["template"]["version"]) == ("welcome", 1)
    problem_of(api.post(BY_TEMPLATE), 422, "impossible-request")


def test_a_text_is_made_of_the_html_where_there_is_none(api: Api) -> None:
    create(api)
    change(api, text=None, html="<h1>{{ name }}</h1><p>Welcome</p>")
    content = sent(api).content
    assert content.text.split() == ["Ada", "&", "Bob", "Welcome"]
    assert content.html == "<h1>Ada &amp; Bob</h1><p>Welcome</p>"


def test_a_template_without_html_makes_a_message_without(api: Api) -> None:
    create(api)
    change(api, html=None)
    assert sent(api).content.html == ""


def test_no_variable_gets_a_line_break_into_the_subject(api: Api) -> None:
    create(api)
    message = sent(api, variables={"name": "Ada\r\nBcc: eve@example.org"})
    assert message.subject == "Welcome, Ada Bcc: eve@example.org"


@pytest.mark.parametrize("variables", [{}, None, {"nome": "Ada"}, ...])
def test_a_missing_variable_is_named(api: Api, variables: object) -> None:
    create(api)
    body = {**BY_TEMPLATE, "variables": variables}
    if variables is ...:
        del body["variables"]
    problem = problem_of(api.post(body), 422, "impossible-request")
    assert problem["Problem"] == "The variable name is missing (subject, line 1)."
    assert problem["errors"] == [
        {
            "detail": "The variable name is missing (subject, line 1).",
            "pointer": "#/variables/name",
            "code": "missing_variable",
            "line": 1,
        }
    ]
    assert not Message.objects.exists()


@pytest.mark.parametrize("field", ["subject", "message", "html"])
def test_the_caller_cannot_say_it_too(api: Api, field: str) -> None:
    create(api)
    assert refused(api, 400, **{field: "mine"}) == [(f"#/{field}", "template")]
    sent(api, **{field: None})


@pytest.mark.parametrize(("field", "value"), [("variables", {"a": 1}), ("template_version", 1)])
def test_variables_and_versions_need_a_template(api: Api, field: str, value: object) -> None:
    body = {**SUBMISSION, field: value}
    problem = problem_of(api.post(body), 400, "invalid-request")
    assert [fault["pointer"] for fault in problem["errors"]] == [f"#/{field}"]
    assert api.post({**SUBMISSION, field: None, "template": None}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "pointer", "code"),
    [
        ({"template": "nobody"}, 422, "#/template", "unknown_template"),
        (
            {"template": "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b11"},
            422,
            "#/template",
            "unknown_template",
        ),
        ({"template": "no name"}, 422, "#/template", "unknown_template"),
        ({"template_version": 2}, 422, "#/template", "unknown_template"),
        ({"template": 7}, 400, "#/template", "type"),
        ({"template": ["welcome"]}, 400, "#/template", "type"),
        ({"template": "a\0"}, 400, "#/template", "character"),
        ({"template": "a" * 999}, 400, "#/template", "too_long"),
        ({"template_version": "1"}, 400, "#/template_version", "number"),
        ({"template_version": 0}, 400, "#/template_version", "number"),
        ({"template_version": 2**31}, 400, "#/template_version", "number"),
        ({"template_version": True}, 400, "#/template_version", "number"),
        ({"variables": []}, 400, "#/variables", "type"),
        ({"variables": {"a": "x" * 205_000}}, 400, "#/variables", "too_large"),
        ({"variables": {"a": [0] * 1001}}, 400, "#/variables/a", "too_many"),
        ({"variables": {"a": "\0"}}, 400, "#/variables/a", "character"),
        ({"variables": {"name": {}}}, 422, "#/variables/name", "unfit_variable"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    api: Api, fields: dict[str, Any], status: int, pointer: str, code: str
) -> None:
    create(api)
    assert refused(api, status, **fields) == [(pointer, code)]


def test_an_empty_template_is_none(api: Api) -> None:
    assert refused(api, 400, template="", variables=None) == [
        ("#/subject", "required"),
        ("#/message", "required"),
        ("#/template", "blank"),
    ]


def test_other_faults_are_told_before_anything_is_rendered(api: Api) -> None:
    assert refused(api, 400, to=["nobody"], colour="red") == [
        ("#/colour", "unknown"),
        ("#/to/0", "address"),
    ]


def test_another_users_template_is_not_there(api: Api) -> None:
    theirs = create(api_of(UserFactory()))
    for reference in ("welcome", theirs["id"]):
        assert refused(api, template=reference) == [("#/template", "unknown_template")]


def test_a_stored_template_that_is_no_longer_allowed_is_not_compiled(api: Api) -> None:
    template = TemplateFactory(owner=api.owner, name="welcome")
    TemplateVersionFactory(template=template, text="{{ 'x' * 10**9 }}")
    assert refused(api) == [("#/template", "template")]


def test_a_repeat_with_the_same_key_is_the_first_ones_whatever_the_template_says_now(
    api: Api,
) -> None:
    create(api)
    first = json.loads(api.post(BY_TEMPLATE, Idempotency_Key="one").content)
    change(api, subject="Hello, {{ name }}")
    repeated = api.post(BY_TEMPLATE, Idempotency_Key="one")
    assert json.loads(repeated.content)["id"] == first["id"]
    for fields in ({"variables": {"name": "Eve"}}, {"template_version": 1}):
        other = api.post({**BY_TEMPLATE, **fields}, Idempotency_Key="one")
        problem_of(other, 409, "idempotency-conflict")
    assert Message.objects.count() == 1


def test_a_version_is_looked_up_once_and_compiled_once_a_process(api: Api) -> None:
    create(api)
    sent(api)
    compiled = shelf.compiled.cache_info().misses
    with CaptureQueriesContext(connection) as queries:
        sent(api)
    templates = [q["sql"] for q in queries.captured_queries if "templateversion" in q["sql"]]
    # the look-up; the submission's own statement
    assert [sql.split()[0] for sql in templates if "Dear" not in sql] == ["SELECT"]
    assert shelf.compiled.cache_info().misses == compiled


def test_one_request_finds_a_template_once_however_many_messages_it_has(api: Api) -> None:
    create(api)
    templates = shelf.Shelf(api.owner)
    with CaptureQueriesContext(connection) as queries:
        ids = {templates.find("welcome", None) for _ in range(10)}
    assert (len(ids), len(queries)) == (1, 1)


def test_one_request_cannot_do_more_work_than_a_few_messages_may(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MAX_REQUEST_STEPS", 5000)
    create(api)
    change(api, text="{% for a in rows %}{{ a }}{% endfor %}", html=None, subject="Hello")
    templates = shelf.Shelf(api.owner)
    variables = read_variables({"rows": [1] * 1000})
    templates.render(templates.find("welcome", None), variables)
    with pytest.raises(ImpossibleRequestError) as caught:
        templates.render(templates.find("welcome", None), variables)
    assert caught.value.faults[0].code == "too_much_work"
