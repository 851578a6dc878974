"""The users' pages in a real browser."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from notifications.delivery.reading import Reading
from notifications.models import Message, User
from tests.browser.conftest import PHONE
from tests.stories import accepted, answered, deliveries_of, handed_over

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada", password="correct horse")


def sign_in(page: Page, server: LiveServer, user: User) -> None:
    """Give the browser a session, without the form that one test is about."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])


def url_of(message: Message, server: LiveServer) -> str:
    return f"{server.url}/messages/{message.id}/"


def test_signing_in_finding_a_message_reading_it_and_signing_out(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    message = accepted(ada, "bob@example.org", subject="Your invoice")
    accepted(ada, "carol@example.org", subject="Something else")
    answered(handed_over(message))
    page.goto(f"{live_server.url}/messages/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Search").fill("invoice bob@example.org")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.get_by_role("link", name="Your invoice").click()
    expect(page).to_have_title("Your invoice · Limbo")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your invoice")
    expect(page.get_by_role("status")).to_have_text("Sent.")
    expect(page.locator(".history")).to_contain_text("sink took it (250 2.0.0 OK)")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{live_server.url}/sign-in/")


def test_an_open_page_follows_its_message_without_loading_again(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message, to="first"), Reading.UNREACHABLE, code=None, answer="refused")
    sign_in(page, live_server, ada)
    page.clock.install()
    page.goto(url_of(message, live_server))
    page.evaluate("window.loadedOnce = true")
    page.get_by_text("1 attempt").click()
    planned = handed_over(message, to="second")
    page.clock.run_for(2000)
    expect(page.get_by_role("status")).to_have_text("Being sent.")
    answered(planned)
    page.clock.run_for(2000)
    expect(page.get_by_role("status")).to_have_text("Sent.")
    expect(page.locator(".history")).to_contain_text("second took it (250 2.0.0 OK)")
    assert page.evaluate("window.loadedOnce")
    # what one had unfolded stays unfolded
    expect(page.locator(".attempts")).to_be_visible()


def test_the_page_asks_until_the_message_is_settled_and_then_no_more(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    message = accepted(ada, "bob@example.org")
    sign_in(page, live_server, ada)
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/live/" in request.url:
            asked.append(request.url)

    page.on("request", note)
    page.clock.install()
    page.goto(url_of(message, live_server))
    for seen in (1, 1, 2):
        with page.expect_response(re.compile("/live/")) as news:
            page.clock.run_for(2000)
        assert news.value.url.endswith(f"?seen={seen}")
        if len(asked) == 1:
            planned = handed_over(message)
        elif len(asked) == 2:
            expect(page.get_by_role("status")).to_have_text("Being sent.")
            answered(planned)
    expect(page.get_by_role("status")).to_have_text("Sent.")
    expect(page.locator("#live")).not_to_have_attribute("data-hx-trigger", re.compile(""))
    page.clock.run_for(60_000)
    assert len(asked) == 3


def test_an_open_page_notices_that_one_has_signed_out(
    page: Page, live_server: LiveServer, ada: User
) -> None:
    message = accepted(ada, "bob@example.org")
    sign_in(page, live_server, ada)
    page.clock.install()
    page.goto(url_of(message, live_server))
    page.context.clear_cookies()
    page.clock.run_for(2000)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.url.endswith(f"/sign-in/?next=%2Fmessages%2F{message.id}%2F")


def test_without_scripts_everything_can_be_read(
    new_page: NewPage, live_server: LiveServer, ada: User
) -> None:
    message = accepted(ada, "bob@example.org", text="The text itself.")
    page = new_page(java_script_enabled=False)
    sign_in(page, live_server, ada)
    page.goto(url_of(message, live_server))
    expect(page.get_by_role("status")).to_have_text("Waiting to be sent.")
    page.get_by_text("Text", exact=True).click()
    expect(page.get_by_text("The text itself.")).to_be_visible()
    answered(handed_over(message))
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("status")).to_have_text("Sent.")
    expect(page.get_by_role("link", name="Refresh")).to_have_count(0)


def test_the_keyboard_is_enough(page: Page, live_server: LiveServer, ada: User) -> None:
    message = accepted(ada, "bob@example.org", subject="Your invoice")
    answered(handed_over(message))
    page.goto(f"{live_server.url}/messages/")
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    expect(page).to_have_title("Messages · Limbo")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Your invoice")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your invoice")
    page.wait_for_load_state()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    # Chromium focuses the skip link's aim with the next frame, wherever the keys have gone by then
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="← Messages")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("summary").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".attempts")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(
    new_page: NewPage, live_server: LiveServer, ada: User, scheme: str
) -> None:
    long = "x" * 200
    message = accepted(ada, f"{long}@example.org", subject=long, text=long * 9, name=long)
    (delivery,) = deliveries_of(message)
    answered(
        handed_over(message, to="p" * 60, deliveries=[delivery]),
        Reading.MESSAGE_REFUSED,
        code=554,
        answer=long * 3,
    )
    page = new_page(viewport=PHONE, color_scheme=scheme)
    paths = ["/sign-in/", "/messages/", "/messages/?q=%21", "/messages/?q=no@example.org"]
    for path in [*paths, f"/messages/{message.id}/"]:
        page.goto(live_server.url + path)
        for folded in page.locator("summary").all():
            folded.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        if path == "/sign-in/":
            sign_in(page, live_server, ada)


def test_the_empty_list_fits_a_phone(new_page: NewPage, live_server: LiveServer, ada: User) -> None:
    page = new_page(viewport=PHONE)
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/messages/")
    expect(page.get_by_text("Send your first message")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_hostile_message_runs_nothing(page: Page, live_server: LiveServer, ada: User) -> None:
    hostile = "</pre><script>document.title='taken'</script><img src=x onerror=alert(1)>"
    message = accepted(ada, "bob@example.org", subject=hostile, text=hostile, name=hostile)
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer=hostile)
    sign_in(page, live_server, ada)
    page.goto(url_of(message, live_server))
    expect(page).to_have_title(f"{hostile} · Limbo")
    expect(page.get_by_role("heading", level=1)).to_have_text(hostile)


def test_a_token_is_made_and_revoked_on_a_phone(
    new_page: NewPage, live_server: LiveServer, ada: User
) -> None:
    page = new_page(viewport={"width": 360, "height": 800}, java_script_enabled=False)
    sign_in(page, live_server, ada)
    page.goto(f"{live_server.url}/messages/")
    page.get_by_role("link", name="Tokens").click()
    page.get_by_label("What is it for?").fill("Billing")
    page.get_by_label("Manage tokens and templates").check()
    page.get_by_role("button", name="Make the token").click()
    token = page.get_by_label("Token", exact=True).inner_text()
    scroll = page.locator("html").bounding_box()
    assert scroll is not None
    assert scroll["width"] <= 360
    tried = page.request.get(
        f"{live_server.url}/v1/tokens", headers={"Authorization": f"Bearer {token}"}
    )
    assert [one["name"] for one in tried.json()["results"]] == ["Billing"]
    page.get_by_role("link", name="Revoke Billing").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("list", name="Your tokens")).to_contain_text("revoked")
    refused = page.request.get(
        f"{live_server.url}/v1/tokens", headers={"Authorization": f"Bearer {token}"}
    )
    assert refused.status == 401
