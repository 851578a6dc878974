"""Every page of the admin under its policy: nothing is refused, and no other host is asked.

`new_page` fails a test whose pages broke their policy, had a script error or asked another host.
"""

import base64
import hashlib
import re
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, Schedule
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications.intake.tokens import issue_token
from notifications.models import Message, User, WebhookDelivery
from notifications.policy import THEME_STYLES
from notifications.webhooks.endpoints import create_endpoint
from tests.browser.test_admin import sign_in
from tests.factories import RequestLogFactory, SuppressionFactory
from tests.stories import accepted, answered, handed_over

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def everything(transactional_db: None) -> Message:
    """A row of each kind that the admin has a screen for; a message among them."""
    now = timezone.now()
    root = User.objects.create_superuser("root", password="correct horse")
    owner = User.objects.create_user("shop")
    message = accepted(owner, "ada@example.org")
    answered(handed_over(message))
    issue_token(owner=owner, name="shop")
    RequestLogFactory(owner=owner, message_id=message.pk)
    SuppressionFactory(owner=owner)
    endpoint, _ = create_endpoint(owner=owner, url="https://hooks.example.com/", kinds=[])
    WebhookDelivery.objects.create(endpoint=endpoint, event_id=1)
    Group.objects.create(name="made by staff")
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={})
    Schedule.objects.create(name="clean", func="clean", next_run=now)
    Failure.objects.create(
        id="1", name="clean", func="clean", started=now, stopped=now, success=False
    )
    LogEntry.objects.create(
        user=root,
        content_type=ContentType.objects.get_for_model(Message),
        object_id=str(message.pk),
        object_repr=str(message),
        action_flag=CHANGE,
    )
    return message


def addresses(message: Message) -> Iterator[str]:
    """Every page of the admin that a superuser reaches by an address alone."""
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="root")
    for screen in ("index", "password_change", "password_change_done"):
        yield reverse(f"admin:{screen}")
    for model, screens in admin.site._registry.items():
        options = model._meta
        name = f"admin:{options.app_label}_{options.model_name}"
        yield reverse("admin:app_list", args=[options.app_label])
        yield reverse(f"{name}_changelist")
        if screens.has_add_permission(request):
            yield reverse(f"{name}_add")
        # the newest: older groups are roles, which nobody removes
        for row in model._default_manager.order_by("-pk")[:1]:
            parts = ["change", "history"]
            parts += ["delete"] if screens.has_delete_permission(request, row) else []
            yield from (reverse(f"{name}_{part}", args=[row.pk]) for part in parts)
    yield reverse("admin:auth_user_password_change", args=[message.owner.pk])
    yield reverse("admin:notifications_message_content", args=[message.pk])


def styles_of(page: Page) -> set[str]:
    """The digests of the inline styles that the page has by now."""
    texts = page.eval_on_selector_all("style", "styles => styles.map(style => style.textContent)")
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return {f"sha256-{base64.b64encode(digest).decode()}" for digest in digests}


def test_no_page_of_the_admin_is_refused_anything(
    page: Page, live_server: LiveServer, everything: Message
) -> None:
    sign_in(page, live_server)
    seen = list(dict.fromkeys(addresses(everything)))
    assert len(seen) > 40
    for address in seen:
        answer = page.goto(f"{live_server.url}{address}")
        assert answer is not None
        assert answer.status == 200, address
        assert styles_of(page) == set(THEME_STYLES), address


def test_what_the_theme_does_in_the_browser_works_under_the_policy(
    page: Page, live_server: LiveServer, everything: Message
) -> None:
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/admin/notifications/message/")
    page.get_by_text(re.compile(r"^\s*Filters")).click()
    expect(page.locator("#changelist-filter")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("Provid")
    expect(page.locator("#command-results")).to_contain_text("Providers")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.evaluate("Alpine.$data(document.documentElement).switchTheme('dark')")
    expect(page.locator("html")).to_have_class(re.compile("dark"))
