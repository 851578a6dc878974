"""What an owner can do with a message, in a real browser, and what others see of it by a link."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from notifications.delivery.providers import sync_rows
from notifications.delivery.reading import Reading
from notifications.models import Message, State, User
from tests.browser.test_choices import told
from tests.browser.test_user_pages import sign_in, url_of
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.peers import SmtpPeer
from tests.stories import accepted, answered, handed_over

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


def test_an_owner_cancels_one_message_and_has_another_tried_again(
    page: Page, live_server: LiveServer, settings: Settings, tmp_path: Path, ada: User
) -> None:
    with SmtpPeer() as peer:
        settings.LIMBO_PROVIDERS = f"relay=smtp://127.0.0.1:{peer.port}"
        sync_rows()
        waiting = told(ada, Reading.TEMPORARY, wait=3600)
        dead = told(ada, Reading.MESSAGE_REFUSED)
        sign_in(page, live_server, ada)
        page.goto(url_of(waiting, live_server))
        page.get_by_role("link", name="Cancel…").click()
        page.get_by_role("button", name="Cancel it").click()
        expect(page.get_by_role("status")).to_contain_text("Cancelled")
        page.goto(url_of(dead, live_server))
        page.get_by_role("link", name="Try again…").click()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("status")).to_contain_text("Waiting to be sent")
        with System(tmp_path, settings.LIMBO_PROVIDERS) as system:
            system.start_worker()
            # the page follows without being loaded again
            expect(page.get_by_role("status")).to_contain_text("Sent", timeout=60_000)
            wait_until(lambda: Message.objects.get(id=dead.id).state == State.SENT)
    assert [str(one.message["Message-ID"]) for one in peer.taken] == [dead.header_message_id]


_OUTLINES = """e => [null, "::after"].map(part => getComputedStyle(e, part).outlineStyle)"""
"""Of an element, and of what may be laid over the line that it stands in."""


def tab_to(page: Page, name: str) -> None:
    """Go on by the Tab key to what is called so; each step is seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        outlines = focused.evaluate(_OUTLINES)
        assert set(outlines) != {"none"}
        if name in {focused.inner_text(), focused.get_attribute("aria-label")}:
            return
        if name in focused.evaluate("e => [...(e.labels ?? [])].map(label => label.innerText)"):
            return
    pytest.fail(f"the keyboard leads to nothing called {name}")


def test_an_owner_finds_and_cancels_a_message_by_keyboard_alone(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    ada.set_password("correct horse")
    ada.save()
    accepted(ada, "carol@example.org", subject="Something else")
    message = told(ada, Reading.TEMPORARY, wait=3600)
    page.goto(f"{live_server.url}/messages/")
    page.keyboard.type("ada")
    tab_to(page, "Password")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    page.wait_for_load_state()
    tab_to(page, "Search")
    page.keyboard.type(str(message.id))
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem")).to_have_count(1)
    tab_to(page, message.subject)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(message.subject)
    page.wait_for_load_state()
    tab_to(page, "Cancel…")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel it")).to_be_visible()
    page.wait_for_load_state()
    tab_to(page, "Cancel it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Cancelled")


def test_a_link_shows_a_stranger_how_it_stands_until_it_is_revoked(
    page: Page, browser: Browser, live_server: LiveServer, settings: Settings, ada: User
) -> None:
    settings.LIMBO_BASE_URL = live_server.url
    message = accepted(ada, "bob@example.org", "carol@example.net", subject="Your invoice")
    sign_in(page, live_server, ada)
    page.goto(url_of(message, live_server))
    page.get_by_role("link", name="Share its status…").click()
    page.get_by_label("It shows").select_option(label="bob@example.org")
    page.get_by_role("button", name="Make the link").click()
    address = page.locator(f"a[href^='{live_server.url}/shared/']").get_attribute("href") or ""
    with browser.new_context() as context:
        stranger = context.new_page()
        stranger.goto(address)
        expect(stranger.locator("main")).to_contain_text("bob@example.org")
        expect(stranger.locator("main")).to_contain_text("c•••@example.net")
        expect(stranger.locator("main")).to_contain_text("Waiting to be sent")
        assert "carol" not in stranger.content()
        answered(handed_over(message))
        stranger.reload()
        expect(stranger.locator("main")).to_contain_text("On its way")
        page.get_by_role("button", name="Revoke").click()
        answer = stranger.goto(address)
        assert answer is not None
        assert answer.status == 410
        expect(stranger.get_by_role("heading", level=1)).to_have_text("This link has ended")
