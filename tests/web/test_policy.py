"""What a browser may do on our pages, and the pages for what went wrong."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from pytest_django.asserts import assertContains

from notifications.intake.templates.drafts import Draft
from notifications.intake.templates.keeping import create_template
from notifications.models import User
from notifications.policy import PAGES as POLICY
from tests.factories import RequestLogFactory
from tests.stories import accepted, answered, handed_over

PAGES = (
    "/messages/",
    "/messages/?q=%21",
    "/messages/{id}/",
    "/messages/{id}/live/",
    "/account/",
    "/account/confirm/",
    "/account/password/",
    "/account/passkeys/",
    "/usage/",
    "/usage/?period=month",
    "/requests/",
    "/requests/?since=x",
    "/templates/",
    "/templates/new/",
    "/templates/{template}/",
    "/templates/{template}/edit/",
    "/templates/{template}/delete/",
    "/templates/{template}/preview/",
    "/nowhere/",
)
STRANGERS = (
    "/sign-in/",
    "/sign-in/inactive/",
    "/password/",
    "/password/sent/",
    "/password/new/x/y/",
    "/password/done/",
)
BROWSER = {"Accept": "text/html"}


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def pages(client: Client, ada: User) -> Iterator[str]:
    ada.set_password("correct horse")
    ada.save()
    client.force_login(ada)
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message))
    draft = Draft(name="welcome", subject="Hello", html="<p style='color: red'>Hello</p>")
    template = create_template(owner=ada, draft=draft).template_id
    RequestLogFactory(owner=ada, message_id=message.id)
    for path in PAGES:
        page = client.get(path.format(id=message.id, template=template), headers=BROWSER)
        assert page.status_code == (404 if path == "/nowhere/" else 200)
        yield page.content.decode()
    yield client.post(f"/templates/{template}/preview/").content.decode()
    yield client.post("/templates/new/", {"subject": "{{"}).content.decode()
    for path in STRANGERS:
        yield Client().get(path).content.decode()
    for name in ("400", "403", "403_csrf", "404", "500"):
        yield render_to_string(f"{name}.html")


@pytest.mark.parametrize("path", ["/messages/", "/sign-in/", "/nowhere/", "/v1/mail", "/health"])
def test_every_answer_carries_the_policy(signed_in: Client, path: str) -> None:
    assert signed_in.get(path).headers["Content-Security-Policy"] == POLICY


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    assert POLICY.startswith("default-src 'none'")


def test_no_page_has_what_the_policy_forbids(signed_in: Client, ada: User) -> None:
    for page in pages(signed_in, ada):
        for tag, attributes in Tags(page).found:
            assert tag != "style"
            assert "style" not in attributes
            assert not any(name.startswith("on") for name in attributes)
            assert tag != "script" or attributes.get("src")
            for name in ("src", "href", "action"):
                value = attributes.get(name) or "/"
                assert value.startswith(("/", "#", "?")), f"<{tag} {name}={value}>"
                assert not value.startswith("//")


def test_every_page_has_a_title_a_language_and_one_heading(signed_in: Client, ada: User) -> None:
    for page in pages(signed_in, ada):
        if "<html" not in page:
            continue
        tags = [tag for tag, _ in Tags(page).found]
        assert tags.count("h1") == 1
        assert tags.count("main") == 1
        assert ("html", {"lang": "en-GB"}) in Tags(page).found
        title = page.split("<title>")[1].split("</title>")[0].strip()
        assert title.endswith("· Limbo")
        assert len(title) > len("· Limbo")


def test_ids_are_unique_on_each_page(signed_in: Client, ada: User) -> None:
    for page in pages(signed_in, ada):
        ids = [attributes["id"] for _, attributes in Tags(page).found if "id" in attributes]
        assert len(ids) == len(set(ids))


def test_what_is_not_there_has_a_page_in_our_style(signed_in: Client) -> None:
    answer = signed_in.get("/nowhere/", headers=BROWSER)
    assertContains(answer, "There is nothing here", status_code=404)
    assertContains(answer, 'class="brand"', status_code=404)


def test_a_fault_of_ours_has_a_page_that_needs_no_database(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(ada)

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("notifications.web.views.page_of", broken)
    answer = client.get("/messages/", headers=BROWSER)
    assertContains(answer, "Something went wrong on our side", status_code=500)


def test_the_vendored_htmx_names_its_licence() -> None:
    folder = settings.BASE_DIR / "notifications" / "web" / "static" / "limbo"
    assert "Zero-Clause BSD" in (folder / "htmx.LICENSE.txt").read_text()
    assert "sourceMappingURL" not in (folder / "htmx.min.js").read_text()
