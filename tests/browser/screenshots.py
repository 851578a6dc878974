"""`make screenshots`: the main pages with a made-up month on them, in docs/images.

It is run by pytest for its server and its browser, and is no test: pytest finds it only by name.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from limbo.local.demo_data.making import make
from limbo.local.demo_data.words import BUSINESSES
from notifications.admin.bulk import log_bulk, noted
from notifications.admin.staff_log import entry_of, told
from notifications.history.sharing import key_of, share
from notifications.intake.templates.drafts import Draft
from notifications.intake.templates.keeping import create_template
from notifications.intake.tokens import issue_token
from notifications.models import BulkAction, Event, Heartbeat, Message, Provider, Scope, State, User
from notifications.queue.bulk import start_bulk
from notifications.queue.bulk_choices import REQUEUE, Decision
from tests.admin.pages import locked_out
from tests.browser.conftest import PHONE, WIDE
from tests.browser.test_user_pages import sign_in
from tests.factories import HeartbeatFactory
from tests.stories import DAY

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOLDER = Path(settings.BASE_DIR) / "docs" / "images"
COUNT = 5000
TEMPLATE = Draft(
    name="order-shipped",
    subject="Your order {{ order.number }} is on its way",
    text="Dear {{ name }},\n\nyour parcel left us today.\n",
    html="<p>Dear {{ name }},</p><p>your parcel left us today.</p>",
)
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "wide-light": {"viewport": WIDE, "color_scheme": "light"},
    "wide-dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone-light": {"viewport": PHONE, "color_scheme": "light"},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
}


def test_take_them(
    browser: Browser, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pgtrigger.ignore("notifications.Provider:permanent"):
        Provider.objects.all().delete()
    make(COUNT, add=False, stays=True, tell=lambda *_: None, seed=7)
    names = Provider.objects.values_list("name", flat=True)
    in_use = ",".join(f"{name}=smtp://127.0.0.1:1" for name in names)
    monkeypatch.setattr(settings, "LIMBO_PROVIDERS", in_use)
    owner = User.objects.get(username=BUSINESSES[0].username)
    root = User.objects.create_superuser("root")
    FOLDER.mkdir(exist_ok=True)
    strangers: tuple[User | None, list[tuple[str, str]]] = (None, list(_strangers()))
    for user, pages in (strangers, (owner, list(_users(owner))), (root, list(_staffs(root)))):
        for look, options in LOOKS.items():
            with browser.new_context(**options) as context:
                page = context.new_page()
                if user:
                    sign_in(page, live_server, user)
                Heartbeat.objects.all().delete()
                HeartbeatFactory()
                for name, path in pages:
                    _take(page, f"{live_server.url}{path}", FOLDER / f"{name}-{look}.png")


def _take(page: Page, url: str, file: Path) -> None:
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 200, url
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file)


def _strangers() -> Iterator[tuple[str, str]]:
    """The page of who has not signed in."""
    yield "sign-in", reverse("account_login")


def _users(owner: User) -> Iterator[tuple[str, str]]:
    """The pages of a user's."""
    message = _eventful(owner, State.DELIVERED)
    with transaction.atomic():
        link = share(message, delivery=None, lasts=DAY)
    template = create_template(owner=owner, draft=TEMPLATE).template_id
    for name in ("shop", "warehouse"):
        issue_token(owner=owner, name=name, scopes=[Scope.SEND, Scope.READ])
    yield "messages", reverse("web:messages")
    yield "message", reverse("web:message", args=[message.id])
    yield "links", reverse("web:links", args=[message.id])
    yield "shared", reverse("web:shared", args=[key_of(link)])
    yield "templates", reverse("web:templates")
    yield "template", reverse("web:template", args=[template])
    yield "template-preview", reverse("web:template-preview", args=[template])
    yield "tokens", reverse("web:tokens")
    yield "requests", reverse("web:requests")
    yield "usage", reverse("web:usage")
    yield "account", reverse("mfa_index")


def _staffs(root: User) -> Iterator[tuple[str, str]]:
    """The admin's."""
    message = _eventful(None, State.DEAD)
    action = _under_way(root)
    shop = User.objects.get(username=BUSINESSES[0].username)
    locked_out(shop)
    log_bulk(action, root, noted(action))
    entry_of(message, root, told("Read the body as text.", "The customer asks for it")).save()
    provider = Provider.objects.get(name="relay")
    yield "admin-home", reverse("admin:index")
    yield "admin-messages", reverse("admin:notifications_message_changelist")
    yield "admin-message", reverse("admin:notifications_message_change", args=[message.id])
    yield "admin-body", reverse("admin:notifications_message_content", args=[message.id])
    yield "admin-providers", reverse("admin:notifications_provider_changelist")
    yield "admin-provider", reverse("admin:notifications_provider_change", args=[provider.pk])
    yield "admin-requests", reverse("admin:notifications_requestlog_changelist")
    yield "admin-bulk-action", reverse("admin:notifications_bulkaction_change", args=[action.pk])
    yield "admin-suppressions", reverse("admin:notifications_suppression_changelist")
    yield "admin-tokens", reverse("admin:notifications_apitoken_changelist")
    yield "admin-user", reverse("admin:notifications_user_change", args=[shop.pk])
    yield "admin-staffs-actions", reverse("admin:admin_logentry_changelist")


def _under_way(root: User) -> BulkAction:
    """A bulk action in its middle."""
    action = start_bulk(
        choice=REQUEUE,
        decision=Decision(root, "The relay is mended", "relay"),
        messages=Message.objects.dead_letters(),
        whose="of all users",
        chosen_by="state: dead letters",
    )
    half, now = action.total // 2, timezone.now()
    later = now + timedelta(hours=1)
    BulkAction.objects.update(done=half, started_at=now - timedelta(seconds=40), due_at=later)
    return action


def _eventful(owner: User | None, state: State) -> Message:
    """A message in that state, of the owner's or of anybody's, with most to tell."""
    whose = {"message__owner": owner} if owner else {}
    events = Event.objects.filter(message__state=state, **whose).order_by("-seq")
    return events.select_related("message")[0].message
