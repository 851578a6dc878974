"""Every page of the admin under its policy: nothing is refused, and no other host is asked.

`new_page` fails a test whose pages broke their policy, had a script error or asked another host.
"""

import base64
import hashlib
import re
from collections.abc import Mapping

import pytest
from django.db.models import Model
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications.models import User
from notifications.policy import THEME_STYLES
from tests.admin.pages import address_of, make_rows
from tests.admin.permission_table import NOBODY, TABLE
from tests.browser.test_admin import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(transactional_db: None) -> Mapping[str, Model]:
    """A row for each screen, and a superuser to look at them."""
    User.objects.create_superuser("root", password="correct horse")
    return make_rows()


def whole_pages(page: Page, server: LiveServer, rows: Mapping[str, Model]) -> list[str]:
    """Every page of the admin that whoever has signed in may open.

    Not what scripts ask for, nor the frame with a body, which has a policy of its own.
    """
    seen = [name for name, row in TABLE.items() if row.get != NOBODY and row.got == 200]
    addresses = [f"{server.url}{address_of(name, rows)}" for name in seen]
    return [address for address in addresses if "<html" in page.request.get(address).text()]


def styles_of(page: Page) -> set[str]:
    """The digests of the inline styles that the page has by now."""
    texts = page.eval_on_selector_all("style", "styles => styles.map(style => style.textContent)")
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return {f"sha256-{base64.b64encode(digest).decode()}" for digest in digests}


def test_no_page_of_the_admin_is_refused_anything(
    page: Page, live_server: LiveServer, rows: Mapping[str, Model]
) -> None:
    sign_in(page, live_server)
    pages = whole_pages(page, live_server, rows)
    assert len(pages) > 50
    for address in pages:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        assert styles_of(page) == set(THEME_STYLES), address


def test_what_the_theme_does_in_the_browser_works_under_the_policy(
    page: Page, live_server: LiveServer, rows: Mapping[str, Model]
) -> None:
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/message/")
    page.get_by_text(re.compile(r"^\s*Filters")).click()
    expect(page.locator("#changelist-filter")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.keyboard.press("Control+k")
    box = page.locator("#search-input-command")
    expect(box).to_be_visible()
    box.press_sequentially("Provid")
    expect(page.locator("#command-results")).to_contain_text("Providers")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.evaluate("Alpine.$data(document.documentElement).switchTheme('dark')")
    expect(page.locator("html")).to_have_class(re.compile("dark"))
