"""Staff make endpoints for users, and see what became of the posts."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import User, WebhookDelivery, WebhookEndpoint
from notifications.webhooks.endpoints import create_endpoint
from notifications.webhooks.secret import unseal
from tests.webhooks.conftest import Made

LIST = "admin:notifications_webhookendpoint_changelist"
ADD = "admin:notifications_webhookendpoint_add"
CHANGE = "admin:notifications_webhookendpoint_change"
URL = "https://hooks.example.com/limbo"


@pytest.fixture
def staff(admin_client: Client) -> Client:
    """A signed-in superuser."""
    return admin_client


def test_the_secret_of_a_new_endpoint_is_shown_once(staff: Client, owner: User) -> None:
    form = {"owner": owner.pk, "url": URL, "kinds": ["sent", "bounced"]}
    page = staff.post(reverse(ADD), form).content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.owner, endpoint.url, endpoint.kinds) == (owner, URL, ["bounced", "sent"])
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    assert unseal(endpoint.sealed_secret) == secret
    later = staff.get(reverse(CHANGE, args=[endpoint.pk])).content.decode()
    for shown in (later, staff.get(reverse(LIST)).content.decode()):
        assert "whsec_" not in shown
        assert endpoint.sealed_secret not in shown


def test_an_unusable_url_is_refused_with_the_reason(staff: Client, owner: User) -> None:
    page = staff.post(reverse(ADD), {"owner": owner.pk, "url": "ftp://example.com/"})
    assert "begins with https://" in page.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_switched_off_and_on_again(staff: Client, endpoint: Made) -> None:
    row, _ = endpoint
    page = reverse(CHANGE, args=[row.pk])
    assert "Say why it is switched." in staff.post(page, {"url": row.url}).content.decode()
    row.refresh_from_db()
    assert row.enabled
    assert staff.post(page, {"url": row.url, "why": "It is gone"}).status_code == 302
    row.refresh_from_db()
    assert (row.enabled, row.disabled_reason) == (False, "Switched off by admin.")
    assert "Switched off by admin." in staff.get(reverse(LIST)).content.decode()
    on = {"url": row.url, "enabled": "on", "why": "It is back"}
    assert staff.post(page, on).status_code == 302
    row.refresh_from_db()
    assert (row.enabled, row.disabled_reason) == (True, "")


def test_url_and_kinds_change_but_never_the_owner_or_the_position(
    staff: Client, endpoint: Made, admin_user: User
) -> None:
    row, _ = endpoint
    WebhookEndpoint.objects.filter(pk=row.pk).update(position=7)
    form = {"url": URL, "kinds": ["failed"], "enabled": "on", "owner": admin_user.pk}
    staff.post(reverse(CHANGE, args=[row.pk]), form)
    owner = row.owner
    row.refresh_from_db()
    assert (row.url, row.kinds, row.owner, row.position) == (URL, ["failed"], owner, 7)


def test_posts_are_listed_and_cannot_be_changed(staff: Client, endpoint: Made) -> None:
    post = WebhookDelivery.objects.create(endpoint=endpoint[0], event_id=1, last_answer="<b>")
    page = staff.get(reverse("admin:notifications_webhookdelivery_changelist")).content.decode()
    assert endpoint[0].url in page
    assert "&lt;b&gt;" in page
    change = reverse("admin:notifications_webhookdelivery_change", args=[post.pk])
    assert staff.get(change).status_code == 200
    assert staff.post(change, {"attempts": 3}).status_code == 403


def test_without_the_permission_nothing_is_shown(client: Client, owner: User) -> None:
    create_endpoint(owner=owner, url=URL, kinds=[])
    viewer = User.objects.create_user("viewer", password="x", is_staff=True)
    client.force_login(viewer)
    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(reverse(ADD)).status_code == 403
