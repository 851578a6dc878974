"""Signing in with a second factor in a real browser."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications.models import User
from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]


@pytest.fixture
def root(transactional_db: None, settings: Any) -> User:
    """A member of staff of a Limbo that asks staff for a second factor."""
    settings.LIMBO_STAFF_SECOND_FACTOR = True
    return User.objects.create_superuser("root", password="correct horse")


@pytest.fixture
def url(live_server: LiveServer) -> str:
    """The server under a name: passkeys are bound to one."""
    return live_server.url.replace("127.0.0.1", "localhost")


def code_of(secret: str, *, later: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later)))


def give_password(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in", exact=True).click()


def fits(page: Page) -> bool:
    """Whether the page does not scroll sideways."""
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_staff_set_up_an_app_on_a_phone_and_sign_in_with_it(
    new_page: NewPage, url: str, root: User, scripts: bool
) -> None:
    page = new_page(viewport=PHONE, java_script_enabled=scripts)
    give_password(page, f"{url}/admin/")
    expect(page.get_by_role("status")).to_have_text(
        "The admin opens to staff with a second factor. Set one up here, then go on."
    )
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_role("img", name="A picture of the key")).to_be_visible()
    secret = page.locator("#key").inner_text()
    page.get_by_label("The code that the app shows").fill(code_of(secret, later=-1))
    page.get_by_role("button", name="Set it up").click()
    expect(
        page.get_by_role("list", name="Your recovery codes").get_by_role("listitem")
    ).to_have_count(10)
    page.get_by_role("link", name="To the admin").click()
    expect(page).to_have_url(f"{url}/admin/")
    page.context.clear_cookies()
    give_password(page, f"{url}/admin/")
    expect(page.get_by_role("heading", name="The second step")).to_be_visible()
    page.get_by_label("Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"{url}/admin/")


def test_a_passkey_is_added_asked_for_and_stands_for_name_and_password_too(
    page: Page, url: str, root: User
) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    give_password(page, f"{url}/admin/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("What do you call it?").fill("my phone")
    page.get_by_role("button", name="Add it").click()
    expect(
        page.get_by_role("list", name="Your recovery codes").get_by_role("listitem")
    ).to_have_count(10)
    page.get_by_role("link", name="I have them").click()
    page.get_by_role("link", name="Rename or remove").click()
    expect(page.get_by_role("list", name="Your passkeys")).to_contain_text("my phone")
    # as the second step
    page.context.clear_cookies()
    give_password(page, f"{url}/admin/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{url}/admin/")
    # and alone
    page.context.clear_cookies()
    page.goto(f"{url}/admin/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{url}/admin/")


def test_where_there_is_no_passkey_the_page_says_so(page: Page, url: str, root: User) -> None:
    page.goto(f"{url}/sign-in/")
    refusal = "() => Promise.reject(new DOMException('', 'NotAllowedError'))"
    page.evaluate(f"() => {{ navigator.credentials.get = {refusal} }}")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was given")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_an_account_fit_a_phone(
    new_page: NewPage, url: str, root: User, scheme: str
) -> None:
    page = new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    give_password(page, f"{url}/account/")
    for path in ("", "password/", "app/", "passkeys/", "passkeys/add/"):
        page.goto(f"{url}/account/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert fits(page), path
