"""The pages of one's templates in a real browser."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications.intake.templates.drafts import Draft
from notifications.intake.templates.keeping import create_template
from notifications.models import Template, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]

NARROW = {"width": 360, "height": 780}


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


def sign_in(page: Page, server: LiveServer, user: User) -> None:
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])


def made(owner: User, **parts: str) -> Template:
    draft = Draft(**{"name": "welcome", "subject": "Hello {{ name }}", **parts})
    return create_template(owner=owner, draft=draft).template


def test_a_template_is_written_mended_previewed_and_deleted(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/messages/")
    header = page.get_by_role("navigation", name="Pages")
    header.get_by_role("link", name="Templates").click()
    expect(header.get_by_role("link", name="Templates")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="New template").click()
    page.get_by_label("Name").fill("order-shipped")
    page.get_by_label("Subject").fill("Order {{ order.number }}")
    page.get_by_label("HTML").fill("<p>Dear {{ name }},</p>\n{% include 'footer' %}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("Line 2: `include` is not available.")
    expect(page.get_by_label("HTML")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("HTML").fill("<p>Dear <b>{{ name }}</b>,</p>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("order-shipped")
    page.get_by_role("link", name="Preview").click()
    page.get_by_label("Variables").fill('{"order": {"number": 7}}')
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_have_text("The variable name is missing (html, line 1).")
    page.get_by_label("Variables").fill('{"order": {"number": 7}, "name": "Ada & Bob"}')
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("Subject", exact=True)).to_have_text("Order 7")
    expect(page.get_by_label("Text", exact=True)).to_contain_text("Dear Ada & Bob,")
    frame = page.frame_locator("iframe")
    expect(frame.locator("b")).to_have_text("Ada & Bob")
    page.get_by_role("link", name="← order-shipped").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Keep what a message says")


def test_a_preview_can_be_read_without_scripts(
    new_page: NewPage, live_server: LiveServer, ada: User
) -> None:
    template = made(ada, html="<p style='color: rgb(1, 2, 3)'>Dear {{ name }}</p>")
    page = new_page(java_script_enabled=False)
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/templates/{template.id}/preview/")
    page.get_by_label("Variables").fill('{"name": "Ada"}')
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("Subject", exact=True)).to_have_text("Hello Ada")
    page.get_by_role("button", name="Show the HTML").click()
    shown = page.frame_locator("iframe").get_by_text("Dear Ada")
    expect(shown).to_have_css("color", "rgb(1, 2, 3)")


def test_what_a_template_renders_is_kept_apart_from_the_page(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    hostile = (
        "<p>Dear {{ name }}</p><form action='/sign-out/' method='post'><button>Go</button></form>"
        "<a href='/tokens/' target='_top'>Away</a>"
    )
    template = made(ada, html=hostile)
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/templates/{template.id}/preview/")
    page.get_by_label("Variables").fill('{"name": "<script>parent.document.title=1</script>"}')
    page.get_by_role("button", name="Preview").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("p")).to_have_text("Dear <script>parent.document.title=1</script>")
    inner = page.frames[1]
    # an origin of its own: it has no cookies, and no way to the page around it
    assert inner.evaluate("self.origin") == "null"
    expect(page).to_have_title("Preview of welcome · Limbo")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_narrow_phone(
    new_page: NewPage, live_server: LiveServer, ada: User, scheme: str
) -> None:
    long = "x" * 300
    template = made(
        ada, name="n" * 100, description=long, subject=long, text=long, html=f"<p>{long}</p>"
    )
    page = new_page(viewport=NARROW, color_scheme=scheme)
    sign_in(page, live_server, ada)
    for below in ("", "new/", f"{template.id}/", f"{template.id}/edit/", f"{template.id}/delete/"):
        page.goto(f"{live_server.url}/templates/{below}")
        for folded in page.locator("summary").all():
            folded.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], below
    page.goto(f"{live_server.url}/templates/{template.id}/preview/")
    page.get_by_role("button", name="Preview").click()
    expect(page.frame_locator("iframe").locator("p")).to_have_text(long)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
