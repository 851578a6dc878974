"""`/v1/templates`: keeping templates, their versions, and what one would say."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.intake.templates.drafts import MAX_BODY_SOURCE, MAX_SUBJECT_SOURCE
from notifications.models import Scope, Template, TemplateVersion
from tests.api.conftest import Api, api_of
from tests.api.problems import problem_of
from tests.factories import TemplateFactory, UserFactory

pytestmark = pytest.mark.django_db

WELCOME: dict[str, Any] = {
    "name": "welcome",
    "description": "For those who sign up",
    "subject": "Welcome, {{ name }}",
    "text": "Dear {{ name }}.",
    "html": "<p>Dear {{ name }}.</p>",
}


def create(api: Api, **fields: Any) -> dict[str, Any]:
    """A stored template as the API shows it."""
    answer = api.post({**WELCOME, **fields}, path="/v1/templates")
    assert answer.status_code == 201, answer.content
    members: dict[str, Any] = json.loads(answer.content)
    return members


def read(api: Api, reference: str = "welcome", **query: Any) -> dict[str, Any]:
    """A template as the API shows it."""
    answer = api.get(f"/v1/templates/{reference}", **query)
    assert answer.status_code == 200, answer.content
    members: dict[str, Any] = json.loads(answer.content)
    return members


def change(api: Api, reference: str = "welcome", **fields: Any) -> dict[str, Any]:
    """A template after a change."""
    answer = api.patch(f"/v1/templates/{reference}", fields)
    assert answer.status_code == 200, answer.content
    members: dict[str, Any] = json.loads(answer.content)
    return members


def names(api: Api, **query: Any) -> list[str]:
    """The names that the list shows."""
    return [row["name"] for row in json.loads(api.get("/v1/templates", **query).content)["results"]]


def test_a_template_is_stored_and_read_by_its_name_and_its_id(api: Api) -> None:
    answer = api.post(WELCOME, path="/v1/templates")
    made = json.loads(answer.content)
    assert answer.status_code == 201
    assert answer.headers["Location"] == made["url"]
    assert made["url"] == f"{settings.LIMBO_BASE_URL}/v1/templates/{made['id']}"
    assert {field: made[field] for field in WELCOME} == WELCOME
    assert (made["version"], made["current_version"]) == (1, 1)
    assert read(api, "welcome") == read(api, made["id"]) == read(api, made["id"].upper()) == made


@pytest.mark.parametrize(("body", "other"), [("text", "html"), ("html", "text")])
def test_one_body_is_enough(api: Api, body: str, other: str) -> None:
    fields = {key: value for key, value in WELCOME.items() if key not in (other, "description")}
    made = json.loads(api.post(fields, path="/v1/templates").content)
    assert (made[body], made[other], made["description"]) == (WELCOME[body], None, "")


def test_another_subject_or_body_makes_a_new_version(api: Api) -> None:
    first = create(api)
    second = change(api, subject="Hello, {{ name }}")
    assert (second["version"], second["current_version"]) == (2, 2)
    assert (second["subject"], second["text"]) == ("Hello, {{ name }}", WELCOME["text"])
    assert second["updated_at"] > first["updated_at"]
    assert read(api) == second
    old = read(api, version=1)
    assert (old["version"], old["current_version"], old["subject"]) == (1, 2, first["subject"])
    answer = api.get("/v1/templates/welcome/versions")
    shown = json.loads(answer.content)["results"]
    assert [(row["version"], row["subject"]) for row in shown] == [
        (2, "Hello, {{ name }}"),
        (1, first["subject"]),
    ]


def test_a_name_and_a_description_have_no_versions(api: Api) -> None:
    create(api)
    changed = change(api, name="hello", description=None)
    assert (changed["name"], changed["description"], changed["version"]) == ("hello", "", 1)
    assert names(api) == ["hello"]


@pytest.mark.parametrize("fields", [{}, {"subject": WELCOME["subject"], "html": WELCOME["html"]}])
def test_what_changes_nothing_makes_no_version(api: Api, fields: dict[str, str]) -> None:
    create(api)
    assert change(api, **fields)["version"] == 1
    assert TemplateVersion.objects.count() == 1


def test_a_body_can_be_removed_but_not_both(api: Api) -> None:
    create(api)
    assert change(api, html=None)["html"] is None
    problem = problem_of(
        api.patch("/v1/templates/welcome", {"text": None}), 422, "impossible-request"
    )
    assert problem["errors"][0]["pointer"] == "#/text"
    assert read(api)["version"] == 2


def test_a_deleted_template_is_gone_and_its_name_is_free(api: Api) -> None:
    first = create(api)
    answer = api.delete("/v1/templates/welcome")
    assert (answer.status_code, answer.content) == (204, b"")
    assert names(api) == []
    for reference in ("welcome", first["id"]):
        for path in ("", "/versions"):
            problem_of(api.get(f"/v1/templates/{reference}{path}"), 404, "not-found")
        problem_of(api.delete(f"/v1/templates/{reference}"), 404, "not-found")
        problem_of(api.patch(f"/v1/templates/{reference}", {}), 404, "not-found")
        preview = api.post({}, path=f"/v1/templates/{reference}/preview")
        problem_of(preview, 404, "not-found")
    assert create(api)["id"] != first["id"]
    # messages may refer to it
    assert TemplateVersion.objects.filter(template_id=first["id"]).exists()


def test_a_name_is_its_owners_once(api: Api) -> None:
    create(api)
    problem = problem_of(api.post(WELCOME, path="/v1/templates"), 409, "name-taken")
    assert "welcome" in problem["detail"]
    create(api, name="hello")
    problem_of(
        api.patch("/v1/templates/hello", {"name": "welcome", "subject": "x"}), 409, "name-taken"
    )
    assert read(api, "hello")["version"] == 1
    other = api_of(UserFactory())
    assert create(other)["name"] == "welcome"


def test_templates_are_listed_newest_first_in_pages(api: Api) -> None:
    for number in range(5):
        create(api, name=f"t{number}")
    assert names(api) == ["t4", "t3", "t2", "t1", "t0"]
    first = json.loads(api.get("/v1/templates", limit=2).content)
    second = json.loads(api.get(first["next"].removeprefix("http://testserver")).content)
    assert [row["name"] for row in first["results"] + second["results"]] == ["t4", "t3", "t2", "t1"]
    assert set(first["results"][0]) == {
        "id",
        "url",
        "name",
        "description",
        "version",
        "created_at",
        "updated_at",
    }


def test_versions_come_in_pages(api: Api) -> None:
    create(api)
    for number in range(3):
        change(api, subject=str(number))
    page = json.loads(api.get("/v1/templates/welcome/versions", limit=3).content)
    rest = json.loads(api.get(page["next"].removeprefix("http://testserver")).content)
    assert [row["version"] for row in page["results"] + rest["results"]] == [4, 3, 2, 1]


def test_another_users_template_is_not_there(api: Api) -> None:
    other = api_of(UserFactory())
    theirs = create(other)
    for reference in ("welcome", theirs["id"], str(uuid4())):
        path = f"/v1/templates/{reference}"
        for answer in (
            api.get(path),
            api.get(f"{path}/versions"),
            api.patch(path, {"subject": "mine"}),
            api.delete(path),
            api.post({"variables": {"name": "x"}}, path=f"{path}/preview"),
        ):
            problem_of(answer, 404, "not-found")
    assert names(api) == []
    assert read(other) == theirs


@pytest.mark.parametrize("scope", list(Scope))
def test_reading_needs_one_scope_and_changing_another(scope: Scope) -> None:
    owner = UserFactory()
    create(api_of(owner))
    api = api_of(owner, scope)
    reading = [
        api.get("/v1/templates"),
        api.get("/v1/templates/welcome"),
        api.get("/v1/templates/welcome/versions"),
        api.post({"variables": {"name": "x"}}, path="/v1/templates/welcome/preview"),
    ]
    changing = [
        api.post({**WELCOME, "name": "other"}, path="/v1/templates"),
        api.patch("/v1/templates/welcome", {}),
        api.delete("/v1/templates/other"),
    ]
    expected = [200] * 4 if scope is Scope.READ else [403] * 4
    assert [answer.status_code for answer in reading] == expected
    expected = [201, 200, 204] if scope is Scope.MANAGE else [403] * 3
    assert [answer.status_code for answer in changing] == expected


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ...}, "#/name", "required"),
    ({"subject": ...}, "#/subject", "required"),
    ({"text": ..., "html": ...}, "#/text", "required"),
    ({"name": None}, "#/name", "type"),
    ({"name": 7}, "#/name", "type"),
    ({"name": ""}, "#/name", "form"),
    ({"name": "Welcome"}, "#/name", "form"),
    ({"name": "a b"}, "#/name", "form"),
    ({"name": "-a"}, "#/name", "form"),
    ({"name": "a/b"}, "#/name", "form"),
    ({"name": "welcome\n"}, "#/name", "form"),
    ({"name": "a" * 101}, "#/name", "form"),
    ({"name": "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b11"}, "#/name", "form"),
    ({"description": 1}, "#/description", "type"),
    ({"description": "a" * 501}, "#/description", "too_long"),
    ({"description": "a\nb"}, "#/description", "character"),
    ({"subject": ["a"]}, "#/subject", "type"),
    ({"subject": " "}, "#/subject", "blank"),
    ({"subject": "a" * (MAX_SUBJECT_SOURCE + 1)}, "#/subject", "too_long"),
    ({"text": None}, "#/text", "type"),
    ({"text": ""}, "#/text", "blank"),
    ({"text": "a" * (MAX_BODY_SOURCE + 1)}, "#/text", "too_long"),
    ({"text": "a\0"}, "#/text", "character"),
    ({"html": {"a": 1}}, "#/html", "type"),
    ({"html": "\ud800"}, "#/html", "character"),
    ({"html": "a" * (MAX_BODY_SOURCE + 1)}, "#/html", "too_long"),
    ({"colour": "red"}, "#/colour", "unknown"),
]


@pytest.mark.parametrize(("fields", "pointer", "code"), INVALID)
def test_what_breaks_a_rule_is_refused_by_name(
    api: Api, fields: dict[str, Any], pointer: str, code: str
) -> None:
    body = {key: value for key, value in {**WELCOME, **fields}.items() if value is not ...}
    problem = problem_of(api.post(body, path="/v1/templates"), 400, "invalid-request")
    (fault,) = problem["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert not Template.objects.exists()


@pytest.mark.parametrize("body", [[], "text", None, 1])
@pytest.mark.parametrize("path", ["", "/welcome/preview"])
def test_only_an_object_is_read(api: Api, body: object, path: str) -> None:
    create(api)
    problem_of(api.post(body, path=f"/v1/templates{path}"), 400, "invalid-request")
    problem_of(api.patch("/v1/templates/welcome", body), 400, "invalid-request")


def test_a_name_at_the_limit_is_taken(api: Api) -> None:
    name = "0._-" + "a" * 96
    assert create(api, name=name, subject="a" * MAX_SUBJECT_SOURCE)["name"] == name
    assert read(api, name)["subject"] == "a" * MAX_SUBJECT_SOURCE


def test_every_fault_of_a_source_has_its_part_and_line(api: Api) -> None:
    body = {
        **WELCOME,
        "subject": "{{ 'x' * 10 }}",
        "text": "one\n{% for a in b %}",
        "html": "\n\n{{ x|center(9) }}",
    }
    problem = problem_of(api.post(body, path="/v1/templates"), 422, "impossible-request")
    assert [(fault["pointer"], fault["line"]) for fault in problem["errors"]] == [
        ("#/subject", 1),
        ("#/text", 2),
        ("#/html", 3),
    ]
    assert not Template.objects.exists()
    create(api)
    changed = api.patch("/v1/templates/welcome", {"html": "{{ 9 ** 9 }}"})
    problem_of(changed, 422, "impossible-request")
    assert read(api)["version"] == 1


@pytest.mark.parametrize("query", [{"version": 0}, {"version": "x"}, {"verison": 1}])
def test_a_parameter_that_is_none_is_refused(api: Api, query: dict[str, Any]) -> None:
    create(api)
    problem = problem_of(api.get("/v1/templates/welcome", **query), 400, "invalid-request")
    assert problem["errors"][0]["parameter"] in query


def test_a_version_that_was_never_made_is_not_there(api: Api) -> None:
    create(api)
    problem_of(api.get("/v1/templates/welcome", version=2), 404, "not-found")


@pytest.mark.parametrize("reference", ["", "nobody", "%00", "a%2Fb", "x" * 5000, "%F0%9F%98%80"])
def test_a_reference_to_nothing_is_not_there(api: Api, reference: str) -> None:
    problem_of(api.get(f"/v1/templates/{reference}"), 404, "not-found")


def test_a_preview_is_what_would_be_sent(api: Api) -> None:
    create(api)
    change(api, subject="Hello,\n{{ name }}")
    variables = {"name": "<Ada>\nBcc: eve@example.org"}
    path = "/v1/templates/welcome/preview"
    answer = api.post({"variables": variables}, path=path)
    assert answer.status_code == 200
    assert json.loads(answer.content) == {
        "version": 2,
        "subject": "Hello, <Ada> Bcc: eve@example.org",
        "text": "Dear <Ada>\nBcc: eve@example.org.",
        "html": "<p>Dear &lt;Ada&gt;\nBcc: eve@example.org.</p>",
    }
    old = json.loads(api.post({"variables": variables, "version": 1}, path=path).content)
    assert (old["version"], old["subject"]) == (1, "Welcome, <Ada> Bcc: eve@example.org")


def test_a_preview_of_one_body(api: Api) -> None:
    create(api)
    path = "/v1/templates/welcome/preview"
    change(api, html=None)
    shown = json.loads(api.post({"variables": {"name": "Ada"}}, path=path).content)
    assert (shown["text"], shown["html"]) == ("Dear Ada.", None)
    change(api, html='<a href="https://example.org/{{ name }}">here</a>', text=None)
    shown = json.loads(api.post({"variables": {"name": "Ada"}}, path=path).content)
    assert shown["text"] == "[here](https://example.org/Ada)"


@pytest.mark.parametrize(
    ("body", "pointer", "code", "status"),
    [
        ({}, "#/variables/name", "missing_variable", 422),
        ({"variables": None}, "#/variables/name", "missing_variable", 422),
        ({"variables": {"name": []}}, "#/variables/name", "unfit_variable", 422),
        ({"variables": {"name": "x"}, "version": 9}, "#/version", "unknown_version", 422),
        ({"variables": {"name": "x"}, "version": 0}, "#/version", "number", 400),
        ({"variables": {"name": "x"}, "version": True}, "#/version", "number", 400),
        ({"variables": {"name": "x"}, "version": "1"}, "#/version", "number", 400),
        ({"variables": []}, "#/variables", "type", 400),
        ({"variables": {"name": "x" * 200_000, "b": "y" * 9000}}, "#/variables", "too_large", 400),
        ({"variables": {"name": "\0"}}, "#/variables/name", "character", 400),
        ({"varaibles": {"name": "x"}}, "#/varaibles", "unknown", 400),
    ],
)
def test_a_preview_that_cannot_be_says_why(
    api: Api, body: dict[str, Any], pointer: str, code: str, status: int
) -> None:
    create(api)
    kind = {422: "impossible-request", 400: "invalid-request"}[status]
    problem = problem_of(api.post(body, path="/v1/templates/welcome/preview"), status, kind)
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)


def test_requests_about_templates_are_in_the_log(api: Api) -> None:
    create(api)
    api.delete("/v1/templates/nobody")
    rows = json.loads(api.get("/v1/requests").content)["results"]
    assert [(row["method"], row["path"], row["status"]) for row in rows[:2]] == [
        ("DELETE", "/v1/templates/nobody", 404),
        ("POST", "/v1/templates", 201),
    ]


def test_the_list_is_found_in_an_index_that_gives_its_order(api: Api) -> None:
    TemplateFactory.create_batch(30, owner=api.owner)
    TemplateFactory.create_batch(100)
    with CaptureQueriesContext(connection) as captured:
        names(api)
    (sql,) = [
        query["sql"]
        for query in captured.captured_queries
        if 'FROM "notifications_template"' in query["sql"]
    ]
    with connection.cursor() as cursor:
        # on a handful of rows reading the whole table, or sorting, would be cheaper
        cursor.execute("ANALYZE notifications_template")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "using template_owner " in plan


@pytest.mark.parametrize(("version", "status"), [("2147483647", 404), ("2147483648", 400)])
def test_a_version_may_be_any_number_that_it_is_told_to_be(
    api: Api, version: str, status: int
) -> None:
    made = create(api)
    assert api.get(f"/v1/templates/{made['id']}", version=version).status_code == status
