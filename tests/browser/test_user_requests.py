"""The page of one's requests in a real browser."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications.models import User
from tests.api.conftest import SUBMISSION, api_of
from tests.browser.test_user_templates import NARROW, sign_in
from tests.factories import RequestLogFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


def test_a_refused_request_is_found_and_a_taken_one_leads_to_its_message(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    api = api_of(ada)
    api.post()
    api.post({**SUBMISSION, "subject": ""})
    api.get("/v1/stats")
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/messages/")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Requests").click()
    rows = page.get_by_role("list", name="Your requests").get_by_role("listitem")
    expect(rows).to_have_count(3)
    page.get_by_label("Answer").select_option("Refused (4xx)")
    page.get_by_role("button", name="Search").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("400")
    page.get_by_role("link", name="Show all").click()
    page.get_by_label("Path").fill("/v1/stats")
    page.get_by_text("Time", exact=True).click()
    page.get_by_label("From (UTC)").fill("2026-01-01T00:00")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("GET /v1/stats")
    # what was asked for stays in the form
    expect(page.get_by_label("From (UTC)")).to_have_value("2026-01-01T00:00")
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name="its message").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SUBMISSION["subject"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_narrow_phone(
    new_page: NewPage, live_server: LiveServer, ada: User, scheme: str
) -> None:
    page = new_page(viewport=NARROW, color_scheme=scheme)
    sign_in(page, live_server, ada)
    for query in ("", "?status=5", "?since=2026-11-25T11:00&until=2026-11-25T10:00"):
        page.goto(f"{live_server.url}/requests/{query}")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], query
        RequestLogFactory(owner=ada, path="/v1/" + "x" * 2000, request_id=uuid4())
