"""A problem's `type` leads to a page that explains it."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from notifications.api.problem_kinds import KINDS
from tests.api.conftest import Api
from tests.api.problems import problem_of

pytestmark = pytest.mark.django_db


def page_of(client: Client, path: str) -> str:
    """The page's text, as a reader who has not signed in gets it."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return unescape(re.sub(r"<[^>]+>", "", answer.content.decode()))


def test_a_problem_s_type_is_the_address_of_its_page(api: Api) -> None:
    problem = problem_of(api.post({"colour": "red"}), 400, "invalid-request")
    page = page_of(Client(), problem["type"].removeprefix(settings.LIMBO_BASE_URL))
    assert problem["title"] in page


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_has_a_page_with_cause_remedy_and_example(client: Client, name: str) -> None:
    page = page_of(client, f"/docs/errors/{name}")
    kind = KINDS[name]
    for text in (kind.title, kind.cause, kind.remedy):
        assert text.replace("`", "") in page
    assert json.dumps(kind.detail, ensure_ascii=False) in page


def test_what_stands_in_backquotes_is_code_and_nothing_else_is_html(client: Client) -> None:
    page = client.get("/docs/errors/unauthenticated").content.decode()
    assert "<code>Authorization: Bearer lk_…</code>" in page
    assert "`" not in page


def test_all_are_listed(client: Client) -> None:
    page = client.get("/docs/errors").content.decode()
    assert re.findall(r'href="/docs/errors/([\w-]+)"', page) == list(KINDS)


def test_a_kind_that_is_none_has_no_page(client: Client) -> None:
    assert client.get("/docs/errors/bad-mood").status_code == 404


def test_every_kind_that_the_code_answers_is_in_the_table_and_no_other() -> None:
    folder = Path(settings.BASE_DIR) / "notifications" / "api"
    text = "".join(path.read_text() for path in folder.glob("*.py") if path.stem != "problem_kinds")
    assert {name for name in KINDS if f'"{name}"' in text} == set(KINDS)
    assert set(re.findall(r'Problem\(\s*\d{3},\s*"([\w-]+)"', text)) <= set(KINDS)
