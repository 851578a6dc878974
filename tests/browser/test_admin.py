"""Support staff's screens in a real browser, on a laptop and on a phone."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from notifications.delivery.reading import Reading
from notifications.models import Delivery, Message, State, User
from tests.browser.conftest import PHONE, WIDE
from tests.stories import accepted, answered, handed_over

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]
SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])


@pytest.fixture
def staff(transactional_db: None) -> User:
    return User.objects.create_superuser("root", password="correct horse")


@pytest.fixture
def dead(staff: User) -> Message:
    """A dead letter among others, with a hostile subject."""
    owner = User.objects.create_user("shop")
    for number in range(3):
        answered(handed_over(accepted(owner, f"reader{number}@example.org")))
    message = accepted(owner, "ada@example.org", subject="<script>alert(1)</script> invoice")
    refusal = "5.7.1 <img src=x onerror=alert(2)>"
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer=refusal)
    return message


def sign_in(page: Page, server: LiveServer) -> None:
    """Sign in by the form, at the admin's own address."""
    page.goto(f"{server.url}/admin/login/")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.url}/admin/")
    # the address changes before the page is there
    page.wait_for_load_state()


def assert_fits(page: Page) -> None:
    """The page does not scroll sideways."""
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


@SIZES
def test_finding_a_dead_letter_reading_its_page_and_requeueing_it(
    new_page: NewPage, live_server: LiveServer, dead: Message, size: ViewportSize
) -> None:
    page = new_page(viewport=size)
    sign_in(page, live_server)
    expect(page.get_by_role("heading", name="to look at")).to_be_visible()
    assert_fits(page)
    page.get_by_label("Find a message").fill("ada@example.org")
    page.get_by_role("button", name="Find").click()
    rows = page.locator("#result_list .data-row")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("refused")
    assert_fits(page)
    page.get_by_role("link", name="<script>alert(1)</script> invoice").click()
    expect(page.locator(".lb-headline")).to_contain_text("sink refused the message for good at ")
    page.locator(".lb-attempts").get_by_text("Raw answer").click()
    expect(page.locator(".lb-attempts pre")).to_contain_text("554 5.7.1 <img src=x")
    assert_fits(page)
    page.get_by_role("button", name="Requeue dead letters").click()
    expect(page.get_by_role("heading", name="1 dead letter of 1 message")).to_be_visible()
    assert_fits(page)
    page.get_by_label("Why?").fill("The filter is mended")
    page.get_by_role("button", name="Requeue dead letters").click()
    expect(page.get_by_text("1 dead letter will be sent again.")).to_be_visible()
    expect(page.locator(".lb-history")).to_contain_text(
        "root chose to send it again: The filter is mended"
    )
    delivery = Delivery.objects.get(message=dead)
    assert (delivery.state, delivery.generation) == (State.PENDING, 2)


@SIZES
def test_requeueing_a_selection_from_the_filtered_list(
    new_page: NewPage, live_server: LiveServer, dead: Message, size: ViewportSize
) -> None:
    page = new_page(viewport=size)
    sign_in(page, live_server)
    page.get_by_role("link", name=re.compile("Dead letters")).click()
    rows = page.locator("#result_list .data-row")
    expect(rows).to_have_count(1)
    rows.get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option("requeue")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Why?").fill("Asked by the owner")
    page.get_by_role("button", name="Requeue dead letters").click()
    expect(page.get_by_text("1 dead letter will be sent again.")).to_be_visible()
    assert Delivery.objects.get(message=dead).generation == 2


def test_an_id_is_copied_by_keyboard(
    new_page: NewPage, live_server: LiveServer, dead: Message
) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/message/{dead.pk}/change/")
    button = page.get_by_role("button", name="Copy: Message id")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Message id copied.")
    assert page.evaluate("navigator.clipboard.readText()") == str(dead.pk)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_have_text("Message-ID header copied.")
    assert page.evaluate("navigator.clipboard.readText()") == dead.header_message_id


def test_without_a_clipboard_an_id_is_copied_all_the_same(
    page: Page, live_server: LiveServer, dead: Message
) -> None:
    # as over plain HTTP to another machine
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/message/{dead.pk}/change/")
    page.get_by_role("button", name="Copy: Message id").click()
    expect(page.get_by_role("status")).to_have_text("Message id copied.")
    assert page.evaluate("getSelection().toString()") == str(dead.pk)


def test_filtering_the_list_by_state(page: Page, live_server: LiveServer, dead: Message) -> None:
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/message/")
    expect(page.locator("#result_list .data-row")).to_have_count(4)
    page.get_by_text(re.compile(r"^\s*Filters")).click()
    page.locator("#changelist-filter").get_by_role("link", name="sent", exact=True).click()
    expect(page.locator("#result_list .data-row")).to_have_count(3)


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_opens_without_an_error_and_fits(
    new_page: NewPage, live_server: LiveServer, dead: Message, size: ViewportSize, scheme: str
) -> None:
    page = new_page(viewport=size, color_scheme=scheme)
    sign_in(page, live_server)
    links = page.locator("#nav-sidebar-inner a[href^='/admin/']")
    screens = [link.get_attribute("href") for link in links.all()]
    assert len(screens) > 10
    for screen in screens:
        answer = page.goto(f"{live_server.url}{screen}")
        assert answer is not None
        assert answer.status == 200
        assert_fits(page)


@SIZES
def test_a_user_who_is_locked_out_is_let_in(
    new_page: NewPage, live_server: LiveServer, dead: Message, size: ViewportSize
) -> None:
    ada = User.objects.create_user("ada", password="correct horse")
    for _ in range(5):
        Client().post("/sign-in/", {"login": "ada", "password": "wrong"}, REMOTE_ADDR="192.0.2.7")
    page = new_page(viewport=size)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/user/{ada.pk}/change/")
    expect(page.get_by_role("heading", name="Locked out")).to_be_visible()
    # the lists of groups and permissions too
    assert_fits(page)
    page.get_by_role("link", name="Let in…").click()
    assert_fits(page)
    page.get_by_label("Why?").fill("Rang, and was known")
    page.get_by_role("button", name="Let in").click()
    expect(page.get_by_text("ada can sign in again.")).to_be_visible()
    expect(page.get_by_role("heading", name="Locked out")).to_have_count(0)
