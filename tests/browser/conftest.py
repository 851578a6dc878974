"""A real Chromium for the tests of pages; without one they fail and say so."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, Request, sync_playwright

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

# no sandbox: root has none; the rest keeps Chromium from calling home on a closed network
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_HERE = {"localhost", "127.0.0.1"}

# the console tells of most violations, this of all
_TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error("policy:", event.effectiveDirective, event.blockedURI, event.sample))"""

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, from `CHROMIUM` or the PATH."""
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if not found:
        pytest.fail(
            "No Chromium: set CHROMIUM to its path, or install Debian's package `chromium`."
        )
    with pytest.MonkeyPatch.context() as environment:
        # Playwright keeps an event loop in this thread, which Django would take for async code
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=_FLAGS)
            yield browser
            browser.close()


@pytest.fixture(autouse=True)
def _attempts_forgotten(transactional_db: None) -> None:
    """Count nobody's attempts to sign in from one test to the next: the table is no model's."""
    cache.clear()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Open a page in a browser context of its own; takes the context's options.

    The test fails in the end if one of its pages had a script error, wrote an error to its console,
    broke its Content-Security-Policy or asked another host for anything.
    """
    faults: list[str] = []
    contexts = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on("request", lambda request: faults.extend(_outside(request)))
        page.add_init_script(_TELL_VIOLATIONS)
        page.set_default_timeout(30_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _outside(request: Request) -> list[str]:
    """The address that was asked for, if it is another host's."""
    address = urlsplit(request.url)
    is_ours = address.hostname in _HERE or address.scheme in {"data", "blob", "about"}
    return [] if is_ours else [f"asked another host: {request.url}"]


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A page as wide as a laptop's."""
    return new_page()
