"""A hostile body in a real browser: it is seen, and it can do nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from notifications.models import Content, Message, User
from tests.browser.test_admin import sign_in
from tests.stories import accepted

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = """<!DOCTYPE html><html><head>
<meta http-equiv="refresh" content="0; url=https://elsewhere.example/refreshed">
<link rel="stylesheet" href="https://elsewhere.example/style.css">
<script>parent.postMessage("ran", "*"); document.title = "ran"</script>
<script src="https://elsewhere.example/script.js"></script>
<style>h1 { color: rgb(1, 2, 3); background: url(https://elsewhere.example/background.png) }</style>
</head><body>
<h1>Your invoice</h1>
<img src="https://elsewhere.example/seen.png" onerror="parent.postMessage('ran', '*')">
<iframe src="https://elsewhere.example/frame"></iframe>
<a href="https://elsewhere.example/link">Pay now</a>
<a href="https://elsewhere.example/window" target="_blank">In a window</a>
<a href="javascript:parent.postMessage('ran', '*')">Run</a>
<form action="https://elsewhere.example/form"><button>Send</button></form>
</body></html>"""


@dataclass
class Watched:
    """A page, and what happened on it that must not."""

    page: Page
    outside: list[str] = field(default_factory=list)
    """Requests that left the browser for another host."""


@pytest.fixture
def watched(browser: Browser, live_server: LiveServer) -> Iterator[Watched]:
    """A page whose body may break its policy: that is refused, and nothing comes of it."""
    context = browser.new_context()
    found = Watched(context.new_page())

    def stop(route: Route) -> None:
        # what the policy refuses never gets here
        found.outside.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith((live_server.url, "data:")), stop)
    yield found
    context.close()


@pytest.fixture
def hostile(transactional_db: None) -> Message:
    """A message whose HTML tries everything."""
    User.objects.create_superuser("root", password="correct horse")
    message = accepted(User.objects.create_user("shop"), "ada@example.org", text="Pay: <b>1 €</b>")
    Content.objects.filter(message=message).update(html=HOSTILE)
    return message


def open_body(page: Page, server: LiveServer, message: Message) -> None:
    """From the message's page to its body, by the button."""
    sign_in(page, server)
    page.goto(f"{server.url}/admin/notifications/message/{message.pk}/change/")
    page.get_by_role("link", name="Read the body").click()


def test_a_hostile_body_is_shown_and_can_do_nothing(
    watched: Watched, live_server: LiveServer, hostile: Message
) -> None:
    page = watched.page
    page.add_init_script("window.heard = []; addEventListener('message', e => heard.push(e.data))")
    open_body(page, live_server, hostile)
    frame = page.frame_locator(".lb-frame")
    heading = frame.get_by_role("heading", name="Your invoice")
    expect(heading).to_be_visible()
    expect(heading).to_have_css("color", "rgb(1, 2, 3)")
    for name in ("In a window", "Run"):
        frame.get_by_role("link", name=name).click()
    frame.get_by_role("button", name="Send").click()
    expect(heading).to_be_visible()
    frame.get_by_role("link", name="Pay now").click()
    expect(heading).to_be_hidden()
    assert watched.outside == []
    assert page.evaluate("window.heard") == []
    assert len(page.context.pages) == 1
    assert page.url.endswith("/content/")


def test_the_text_is_shown_as_it_was_written(
    page: Page, live_server: LiveServer, hostile: Message
) -> None:
    Content.objects.filter(message=hostile).update(html="<p style='margin: 0'>Dear Ada</p>")
    open_body(page, live_server, hostile)
    expect(page.frame_locator(".lb-frame").get_by_text("Dear Ada")).to_be_visible()
    page.get_by_role("link", name="Text", exact=True).click()
    expect(page.frame_locator(".lb-frame").get_by_text("Pay: <b>1 €</b>")).to_be_visible()
