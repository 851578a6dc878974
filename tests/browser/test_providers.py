"""The providers' pages in a real browser: live without a reload, and a test from click to inbox."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from notifications.models import Message, Provider, User
from tests.browser.conftest import PHONE, WIDE
from tests.browser.test_admin import NewPage, assert_fits, sign_in
from tests.e2e.system import System
from tests.factories import make_message
from tests.peers.actions import until
from tests.peers.smtp_peer import SmtpPeer
from tests.stories import under_way

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])


@pytest.fixture
def provider(transactional_db: None) -> Provider:
    User.objects.create_superuser("root", password="correct horse", email="root@example.com")
    Provider.objects.get_or_create(name="second")
    return Provider.objects.get_or_create(name="first")[0]


@SIZES
def test_the_list_follows_without_a_reload(
    new_page: NewPage, live_server: LiveServer, provider: Provider, size: ViewportSize
) -> None:
    page = new_page(viewport=size)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/provider/")
    page.evaluate("window.isTheSamePage = true")
    row = page.get_by_role("row", name="first")
    expect(row).to_contain_text("in use")
    assert_fits(page)
    Provider.objects.filter(pk=provider.pk).update(
        fault="535 <img src=x onerror=alert(1)>", enabled=False
    )
    under_way(make_message(), to="first")
    expect(row).to_contain_text("off: refused our credentials")
    expect(row.get_by_role("cell").nth(2)).to_have_text("1")
    expect(page.get_by_text("535 <img src=x")).to_be_visible()
    assert page.evaluate("window.isTheSamePage") is True
    assert_fits(page)


def test_a_hidden_page_asks_for_nothing_and_catches_up_when_it_is_seen(
    page: Page, live_server: LiveServer, provider: Provider
) -> None:
    sign_in(page, live_server)
    page.clock.install()
    page.goto(f"{live_server.url}/admin/notifications/provider/{provider.pk}/change/")
    with page.expect_response("**/live/"):
        page.clock.run_for(10_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hidden = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    page.evaluate(hidden % "true")
    page.clock.run_for(60_000)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if "/live/" in url] == []
    Provider.objects.filter(pk=provider.pk).update(is_draining=True)
    page.evaluate(hidden % "false")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-live]")).to_contain_text("it has drained")


def test_a_page_of_somebody_who_was_signed_out_says_so_until_he_is_in_again(
    page: Page, live_server: LiveServer, provider: Provider
) -> None:
    sign_in(page, live_server)
    url = f"{live_server.url}/admin/notifications/provider/"
    page.goto(url)
    note = page.get_by_text("This is not up to date")
    expect(note).to_be_hidden()
    cookies = page.context.cookies()
    page.context.clear_cookies()
    expect(note).to_be_visible()
    expect(page.get_by_role("row", name="first")).to_be_visible()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    expect(note).to_be_hidden()


def choose(page: Page, button: str, *, section: str, why: str) -> None:
    """Press a button of one of the forms, with a reason."""
    form = page.locator(f"form[aria-labelledby={section}]")
    form.get_by_label("Why?").fill(why)
    form.get_by_role("button", name=button).click()


@SIZES
def test_switching_a_provider(
    new_page: NewPage, live_server: LiveServer, provider: Provider, size: ViewportSize
) -> None:
    page = new_page(viewport=size)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/provider/")
    page.get_by_role("link", name="first", exact=True).click()
    assert_fits(page)
    choose(page, "Drain", section="switch", why="Its contract ends")
    expect(page.locator("[data-live]")).to_contain_text("it has drained")
    choose(page, "Disable", section="switch", why="It has drained")
    expect(page.locator("[data-live]")).not_to_contain_text("drained")
    page.locator("form[aria-labelledby=weigh]").get_by_label("Weight").fill("4")
    choose(page, "Set the weight", section="weigh", why="It is the better one")
    choose(page, "Enable", section="switch", why="The contract goes on")
    expect(page.locator("[data-live]")).to_contain_text("80% of the new hand-offs")
    assert_fits(page)
    page.goto(f"{live_server.url}/admin/admin/logentry/")
    expect(page.locator("#result_list")).to_contain_text("The contract goes on")


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What the provider waits for before it takes a message."""
    event = threading.Event()
    yield event
    event.set()


def test_a_test_message_from_the_click_to_the_inbox(
    page: Page, live_server: LiveServer, provider: Provider, tmp_path: Path, gate: threading.Event
) -> None:
    with SmtpPeer(on={"body": [until(gate)]}) as peer, SmtpPeer() as other:
        urls = f"first=smtp://127.0.0.1:{peer.port},second=smtp://127.0.0.1:{other.port}"
        with System(tmp_path, urls) as system:
            system.start_worker()
            sign_in(page, live_server)
            page.goto(f"{live_server.url}/admin/notifications/provider/{provider.pk}/change/")
            form = page.locator("form[aria-labelledby=test]")
            form.get_by_label("To", exact=True).fill("ada@example.org")
            form.get_by_role("button", name="Send it").click()
            story = page.locator(".lb-test")
            expect(story).to_contain_text("being sent", timeout=30_000)
            page.evaluate("window.isTheSamePage = true")
            gate.set()
            expect(story).to_contain_text("250 2.0.0 ok, queued as PEER1")
            assert page.evaluate("window.isTheSamePage") is True
            story.get_by_role("link", name="See the message").click()
            expect(page.locator(".lb-headline").first).to_be_visible()
    (taken,) = peer.taken
    assert (taken.sender, taken.recipients) == ("root@example.com", ("ada@example.org",))
    assert taken.message["Subject"] == "Test message through first"
    assert "root sent this with Limbo" in taken.message.get_content()
    assert other.taken == []
    assert Message.objects.get().owner.get_username() == "root"
