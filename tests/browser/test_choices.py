"""Each choice on one message, in a real browser, from the click to the inbox or away from it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from notifications.delivery.providers import sync_rows
from notifications.delivery.reading import Reading
from notifications.models import Message, State, User
from tests.browser.test_admin import sign_in
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.peers import SmtpPeer
from tests.stories import accepted, answered, handed_over

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def told(owner: User, reading: Reading, *, wait: float = 0.0) -> Message:
    """A message that a provider was asked to take, with what came of that."""
    message = accepted(owner, f"{reading.value}@example.org", subject=reading.value)
    answered(handed_over(message), reading, code=None, answer="", wait=wait)
    return message


def choose(page: Page, server: LiveServer, message: Message, choice: str, reason: str = "") -> None:
    """Make the choice on the message's page, and answer its question if it has one."""
    page.goto(f"{server.url}/admin/notifications/message/{message.pk}/change/")
    page.get_by_role("button", name=choice).click()
    if reason:
        page.get_by_label("Why?").fill(reason)
    if choice != "Retry now":
        page.get_by_role("button", name=choice).click()
    expect(page.locator(".lb-history")).to_be_visible()


def test_each_choice_brings_the_message_to_the_inbox_or_keeps_it_from_it(
    page: Page, live_server: LiveServer, settings: Settings, tmp_path: Path
) -> None:
    User.objects.create_superuser("root", password="correct horse")
    owner = User.objects.create_user("shop")
    with SmtpPeer() as peer:
        settings.LIMBO_PROVIDERS = f"relay=smtp://127.0.0.1:{peer.port}"
        sync_rows()
        retried = told(owner, Reading.TEMPORARY, wait=3600)
        cancelled = told(owner, Reading.EXHAUSTED, wait=3600)
        requeued = told(owner, Reading.MESSAGE_REFUSED)
        again, arrived = (told(owner, Reading.AMBIGUOUS) for _ in range(2))
        sign_in(page, live_server)
        choose(page, live_server, retried, "Retry now")
        choose(page, live_server, cancelled, "Cancel", "It is wrong")
        choose(page, live_server, requeued, "Requeue dead letters", "The filter is mended")
        choose(page, live_server, again, "Send again", "She has nothing")
        choose(page, live_server, arrived, "It was sent", "She has it")
        with System(tmp_path, settings.LIMBO_PROVIDERS) as system:
            system.start_worker()
            wait_until(lambda: len(peer.taken) >= 3, seconds=60)
            under_way = Message.objects.filter(state__in=[State.SENDING, State.PENDING])
            wait_until(lambda: not under_way.exists())
    taken = sorted(str(envelope.message["Message-ID"]) for envelope in peer.taken)
    expected = [retried, requeued, again]
    assert taken == sorted(message.header_message_id for message in expected)
    states = dict(Message.objects.values_list("pk", "state"))
    assert states[cancelled.pk] == State.CANCELLED
    assert {states[message.pk] for message in [*expected, arrived]} == {State.SENT}
