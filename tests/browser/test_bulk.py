"""Bulk actions in a real browser: from the click to the inbox, and the stop button."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from notifications.admin import message_choices
from notifications.delivery.providers import sync_rows
from notifications.models import BulkAction, Delivery, Event, Message, State, User
from notifications.queue import bulk_run
from notifications.queue.bulk_run import run_batch
from tests.browser.conftest import PHONE, WIDE
from tests.browser.test_admin import assert_fits, sign_in
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.faults.sink import SinkProcess
from tests.queue.dead import dead_letters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NewPage = Callable[..., Page]

COUNT = 5_000


@pytest.fixture
def owner(transactional_db: None) -> User:
    User.objects.create_superuser("root", password="correct horse")
    return User.objects.create_user("shop")


def choose_all(page: Page, server: LiveServer, action: str, *, count: str) -> None:
    """Choose for all dead letters: tick the page, then all that match."""
    page.goto(f"{server.url}/admin/notifications/message/?state=dead-letters")
    page.locator("#action-toggle").check()
    page.get_by_role("link", name=f"Select all {count} that match").click()
    page.locator("select[name=action]").select_option(action)
    page.get_by_role("button", name="Run").click()


def test_five_thousand_dead_letters_from_the_click_to_the_inbox(
    page: Page, live_server: LiveServer, owner: User, tmp_path: Path, settings: Settings
) -> None:
    ids = dead_letters(owner, COUNT)
    with ExitStack() as stack:
        sink, other = (stack.enter_context(SinkProcess(tmp_path)) for _ in range(2))
        ports = {"other": other.port, "sink": sink.port}
        settings.LIMBO_PROVIDERS = ",".join(
            f"{name}=smtp://127.0.0.1:{port}" for name, port in ports.items()
        )
        sync_rows()
        system = stack.enter_context(System(tmp_path, settings.LIMBO_PROVIDERS))
        system.start_worker()
        sign_in(page, live_server)
        choose_all(page, live_server, "requeue", count="5,000")
        question = page.get_by_role("heading", name="Requeue 5,000 dead letters of all users")
        expect(question).to_be_visible()
        expect(page.get_by_text("and 4,990 more")).to_be_visible()
        page.get_by_label("Through which provider?").select_option("sink")
        page.get_by_label("Why?").fill("The relay is mended")
        page.get_by_role("button", name="Requeue dead letters").click()
        title = "Requeue 5,000 dead letters of all users through sink"
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        expect(page.locator("#bulk-progress")).to_be_visible()
        page.evaluate("window.isTheSamePage = true")
        expect(page.get_by_text(re.compile("Done in"))).to_be_visible(timeout=60_000)
        expect(page.locator(".lb-counts div", has_text="Done")).to_contain_text("5,000")
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
        assert page.evaluate("window.isTheSamePage")
        wait_until(lambda: sink.count() >= COUNT, seconds=90)
        wait_until(lambda: Message.objects.filter(state=State.SENT).count() == COUNT)
    assert len({taken.message_id for taken in sink.received()}) == sink.count() == COUNT
    assert other.count() == 0
    chosen = Event.objects.filter(data__choice="requeue", data__reason="The relay is mended")
    assert sorted(chosen.values_list("message_id", flat=True)) == sorted(ids)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_watched_and_stopped_in_the_middle(
    new_page: NewPage,
    live_server: LiveServer,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    size: ViewportSize,
) -> None:
    monkeypatch.setattr(message_choices, "AT_ONCE", 50)
    monkeypatch.setattr(bulk_run, "BATCH", 20)
    dead_letters(owner, 60)
    page = new_page(viewport=size)
    sign_in(page, live_server)
    choose_all(page, live_server, "requeue", count="60")
    page.get_by_label("Why?").fill("Asked by the owner")
    page.get_by_role("button", name="Requeue dead letters").click()
    expect(page.get_by_text("It begins as soon as a worker is free.")).to_be_visible()
    action = BulkAction.objects.get()
    assert run_batch(action.pk, action.run)
    # without a reload
    expect(page.locator(".lb-counts div", has_text="Done")).to_contain_text("20")
    expect(page.get_by_text("Under way.")).to_be_visible()
    assert_fits(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped by root. 40 messages stayed as before.")).to_be_visible()
    assert_fits(page)
    assert not run_batch(action.pk, action.run)
    assert Delivery.objects.filter(generation=2).count() == 20


def test_who_is_signed_out_while_watching_is_led_to_the_sign_in_and_back(
    page: Page, live_server: LiveServer, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_choices, "AT_ONCE", 50)
    dead_letters(owner, 60)
    sign_in(page, live_server)
    choose_all(page, live_server, "requeue", count="60")
    page.get_by_label("Why?").fill("Asked by the owner")
    page.get_by_role("button", name="Requeue dead letters").click()
    expect(page.get_by_text("It begins as soon as a worker is free.")).to_be_visible()
    watched = page.url
    page.context.clear_cookies()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.locator("#bulk-progress")).to_have_count(0)
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#bulk-progress")).to_be_visible()
    assert page.url == watched


def test_the_question_names_the_provider_that_is_chosen(
    page: Page, live_server: LiveServer, owner: User
) -> None:
    sync_rows()
    dead_letters(owner, 60)
    sign_in(page, live_server)
    choose_all(page, live_server, "requeue", count="60")
    page.get_by_label("Through which provider?").select_option("second")
    whole = "Requeue 60 dead letters of all users through second"
    expect(page.get_by_role("heading", name=whole)).to_be_visible()
    page.get_by_label("Why?").fill("The first one refuses them")
    page.get_by_role("button", name="Requeue dead letters").click()
    expect(page.get_by_text("60 dead letters will be sent again.")).to_be_visible()
    assert Delivery.objects.filter(through="second", generation=2).count() == 60
