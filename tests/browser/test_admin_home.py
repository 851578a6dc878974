"""Staff's home in a real browser: charts that are seen, and tables that are read."""

import pytest
from playwright.sync_api import ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from notifications.models import User
from tests.browser.test_admin import SIZES, NewPage, assert_fits, sign_in
from tests.stories import accepted, answered, handed_over

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def traffic(transactional_db: None) -> None:
    """Three messages were accepted, two of them sent."""
    User.objects.create_superuser("root", password="correct horse")
    owner = User.objects.create_user("shop")
    for number in range(3):
        message = accepted(owner, f"reader{number}@example.org")
        if number:
            answered(handed_over(message, to="relay"))


@SIZES
def test_charts_their_tables_and_another_period(
    new_page: NewPage, live_server: LiveServer, traffic: None, size: ViewportSize
) -> None:
    page = new_page(viewport=size)
    sign_in(page, live_server)
    chart = page.locator("figure", has_text="Accepted")
    expect(chart.get_by_role("link")).to_have_text("Accepted 3")
    bar = chart.locator("rect.lb-bar").last
    ground = chart.locator("rect.lb-bar-ground")
    heights = [found.bounding_box() for found in (bar, ground)]
    assert heights[0] is not None
    assert heights[1] is not None
    assert heights[0]["height"] == pytest.approx(heights[1]["height"])
    assert heights[0]["height"] > 40
    assert_fits(page)

    page.get_by_role("link", name="1 h", exact=True).click()
    expect(page.get_by_role("heading", name="The last 1 h")).to_be_visible()
    expect(page.get_by_role("link", name="1 h", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    page.get_by_text("The charts as a table").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("region", name="The charts as a table")
    expect(table.get_by_role("row")).to_have_count(13)
    assert_fits(page)

    users = page.get_by_role("table", name="By user")
    expect(users.get_by_role("row").last).to_contain_text("shop")
    providers = page.get_by_role("table", name="By provider")
    expect(providers.get_by_role("row").last.get_by_role("cell").first).to_have_text("2")
    providers.get_by_role("link", name="relay").click()
    expect(page.locator("#result_list .data-row")).to_have_count(2)
