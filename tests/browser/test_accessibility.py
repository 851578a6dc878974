"""Every page by the rules of WCAG 2.2, level AA, as far as a machine can tell (axe-core).

Light and dark, wide and on a small phone; nothing serious or critical is found anywhere, and no
page is wider than the window.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models import Model
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from notifications.models import User
from tests.admin.pages import make_rows
from tests.browser.conftest import WIDE
from tests.browser.test_admin import sign_in
from tests.browser.test_admin_policy import whole_pages
from tests.browser.user_pages import fill, open_pages, own_pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # some sixty pages in one
    pytest.mark.timeout(600),
]

NewPage = Callable[..., Page]

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
    # a message's body is its writer's, and lets no script in
    "iframes": False,
}

SMALL = {"width": 360, "height": 740}

LOOKS = pytest.mark.parametrize(
    "look",
    [
        pytest.param({"color_scheme": "light", "viewport": WIDE}, id="light, wide"),
        pytest.param({"color_scheme": "dark", "viewport": SMALL}, id="dark, on a small phone"),
    ],
)


def check(page: Page, addresses: Iterable[str]) -> None:
    """Fail with what is serious or critical on the pages, or too wide: each page with it."""
    faults = []
    for address in addresses:
        page.goto(address)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append(f"{address}: it does not fit")
        for found in Axe().run(page, options=RULES).response["violations"]:
            if found["impact"] in {"serious", "critical"}:
                faults += [f"{address}: {_told(found, node)}" for node in found["nodes"]]
    assert not faults, "\n".join(faults)


def _told(found: dict[str, Any], node: dict[str, Any]) -> str:
    return f"{found['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"


def sign_in_at(page: Page, server: LiveServer, user: User) -> None:
    """Sign in by the form, which also confirms who it is."""
    page.goto(f"{server.url}/sign-in/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{server.url}/messages/")


@LOOKS
def test_users_pages(new_page: NewPage, live_server: LiveServer, look: dict[str, Any]) -> None:
    ada = User.objects.create_user("ada", password="correct horse", email="ada@example.com")
    fill(ada)
    page = new_page(**look)
    sign_in_at(page, live_server, ada)
    check(page, (f"{live_server.url}{path}" for path in own_pages(ada)))


@LOOKS
def test_a_new_users_empty_pages(
    new_page: NewPage, live_server: LiveServer, look: dict[str, Any]
) -> None:
    ada = User.objects.create_user("ada", password="correct horse")
    page = new_page(**look)
    sign_in_at(page, live_server, ada)
    rooms = ("messages", "templates", "tokens", "requests", "usage")
    check(page, [f"{live_server.url}/{room}/" for room in rooms])


@LOOKS
def test_pages_for_everybody(
    browser: Browser, live_server: LiveServer, look: dict[str, Any]
) -> None:
    ada = User.objects.create_user("ada")
    # not `new_page`, for which a page that is not there is an error
    with browser.new_context(**look) as context:
        check(context.new_page(), (f"{live_server.url}{path}" for path in open_pages(ada)))


@LOOKS
def test_staffs_pages(new_page: NewPage, live_server: LiveServer, look: dict[str, Any]) -> None:
    User.objects.create_superuser("root", password="correct horse")
    rows: Mapping[str, Model] = make_rows()
    page = new_page(**look)
    sign_in(page, live_server)
    check(page, whole_pages(page, live_server, rows))
