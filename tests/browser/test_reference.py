"""The API's description in a real browser: it loads from us alone, and can be tried out."""

import json

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications.intake.tokens import issue_token
from notifications.models import User
from tests.browser.conftest import PHONE, NewPage
from tests.stories import accepted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_reference(page: Page, server: LiveServer) -> list[str]:
    """Open the page; returns the hosts that it asks, as it asks them."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/docs/api")
    expect(page.get_by_role("heading", name="Limbo")).to_be_visible()
    return asked


def test_it_shows_every_operation_and_asks_nobody_else(page: Page, live_server: LiveServer) -> None:
    asked = open_reference(page, live_server)
    expect(page.locator(".opblock-summary-path", has_text="/v1/mail/batch")).to_be_visible()
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []


def test_an_operation_can_be_tried_out_with_a_token(page: Page, live_server: LiveServer) -> None:
    owner = User.objects.create_user("ada")
    message = accepted(owner, "bob@example.org")
    _, token = issue_token(owner=owner, name="browser")
    open_reference(page, live_server)
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(token)
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Apply credentials").click()
    page.locator(".auth-btn-wrapper").get_by_role("button", name="Close").click()
    operation = page.locator("#operations-mail-read_message")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("message_id").fill(str(message.id))
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response-col_description code").first
    expect(answer).to_contain_text(str(message.id))
    assert json.loads(answer.inner_text())["state"] == "pending"


def test_it_can_be_read_on_a_phone(new_page: NewPage, live_server: LiveServer) -> None:
    page = new_page(viewport=PHONE)
    open_reference(page, live_server)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
