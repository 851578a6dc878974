"""The page of one's usage in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications.models import SendingLimit, User
from tests.api.conftest import SUBMISSION, api_of
from tests.browser.test_user_templates import NARROW, sign_in
from tests.stories import accepted, answered, handed_over

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


def test_what_was_sent_is_in_chart_and_table_and_takes_from_the_limit(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    SendingLimit.objects.create(owner=ada, messages_per_day=10)
    api_of(ada).post({**SUBMISSION, "tags": ["welcome"]})
    answered(handed_over(accepted(ada, "a@example.org", "b@example.org")))
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/messages/")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Usage").click()
    chart = page.get_by_role("img", name="Sent: 2 in 24 hours, at most 2 in an hour")
    expect(chart).to_be_visible()
    highest = chart.locator(".bar").last.bounding_box()
    assert highest is not None
    assert highest["height"] > 50
    table = page.get_by_role("region", name="By hour").get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["From", "Accepted", "Tried", "Sent"])
    newest = table.get_by_role("row").nth(1)
    expect(newest.get_by_role("cell")).to_have_text(["2", "2", "2"])
    expect(page.get_by_role("table").last.get_by_role("rowheader")).to_have_text(["welcome"])
    expect(page.get_by_label("Messages a day")).to_have_attribute("value", "1")
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("region", name="By day").get_by_role("row")).to_have_count(32)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_narrow_phone(
    new_page: NewPage, live_server: LiveServer, ada: User, scheme: str
) -> None:
    api_of(ada).post({**SUBMISSION, "tags": ["x" * 60]})
    answered(handed_over(accepted(ada, "a@example.org"), to="p" * 60))
    page = new_page(viewport=NARROW, color_scheme=scheme)
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/usage/?period=month")
    expect(page.get_by_role("table")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
