"""Providers, tokens, suppressions and accounts: what staff may change, and what not."""

from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.intake.tokens import authenticate, issue_token
from notifications.models import (
    ApiToken,
    SendingLimit,
    Suppression,
    SuppressionReason,
    User,
)
from tests.admin.conftest import make_staff, signed_in
from tests.factories import RequestLogFactory, UserFactory

PROVIDERS = "/admin/notifications/provider/"
TOKENS = "/admin/notifications/apitoken/"
SUPPRESSIONS = "/admin/notifications/suppression/"
REQUESTS = "/admin/notifications/requestlog/"


def test_a_new_token_is_shown_once_and_opens_the_api(superuser: Client, owner: User) -> None:
    form = {"owner": owner.pk, "name": "production", "scopes": ["send"]}
    answer = superuser.post(f"{TOKENS}add/", form)
    plain = answer.context["plain"]
    page = answer.content.decode()
    assert page.count(plain) == 1
    assert "no-store" in answer["Cache-Control"]
    token = authenticate(plain)
    assert token is not None
    assert (token.owner, token.name, token.scopes) == (owner, "production", ["send"])
    seen = reverse("admin:notifications_apitoken_change", args=[token.pk])
    for url in (TOKENS, seen):
        page = superuser.get(url).content.decode()
        assert plain not in page
        assert bytes(token.digest).hex() not in page
        assert token.prefix in page
    assert plain not in str(LogEntry.objects.values())


def test_a_token_that_would_have_ended_already_is_not_made(superuser: Client, owner: User) -> None:
    over = timezone.now() - timedelta(days=2)
    form = {
        "owner": owner.pk,
        "name": "late",
        "scopes": ["send"],
        "expires_at_0": f"{over:%Y-%m-%d}",
        "expires_at_1": "12:00:00",
    }
    assert "This time is over." in superuser.post(f"{TOKENS}add/", form).content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_and_neither_changed_nor_removed(superuser: Client, owner: User) -> None:
    token, plain = issue_token(owner=owner, name="old")
    kept, other = issue_token(owner=owner, name="kept")
    url = reverse("admin:notifications_apitoken_change", args=[token.pk])
    assert superuser.post(url, {"name": "mine"}).status_code == 403
    delete = reverse("admin:notifications_apitoken_delete", args=[token.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 403
    form = {"action": "revoke_tokens", "_selected_action": [str(token.pk)]}
    assert (
        "From now on no request with it is taken" in superuser.post(TOKENS, form).content.decode()
    )
    assert authenticate(plain) is not None
    answer = superuser.post(TOKENS, {**form, "post": "yes", "why": "It leaked"}, follow=True)
    assert "1 token revoked." in answer.content.decode()
    assert authenticate(plain) is None
    assert authenticate(other) == kept
    assert LogEntry.objects.get().get_change_message() == "Revoked. Reason: It leaked"


def test_revoking_needs_the_permission(viewer: Client, owner: User) -> None:
    token, plain = issue_token(owner=owner, name="old")
    viewer.post(TOKENS, {"action": "revoke_tokens", "_selected_action": [str(token.pk)]})
    assert authenticate(plain) is not None


def test_a_suppression_is_stored_in_the_spelling_that_submissions_look_up(
    superuser: Client, owner: User
) -> None:
    form = {"owner": owner.pk, "address": "Ada <ada@EXAMPLE.org>", "note": "asked by phone"}
    assert superuser.post(f"{SUPPRESSIONS}add/", form).status_code == 302
    stored = Suppression.objects.get()
    assert (stored.address, stored.reason) == ("ada@example.org", SuppressionReason.MANUAL)
    again = superuser.post(f"{SUPPRESSIONS}add/", form)
    assert again.status_code == 200
    assert Suppression.objects.count() == 1


def test_what_is_no_address_is_not_suppressed(superuser: Client, owner: User) -> None:
    form = {"owner": owner.pk, "address": "nobody", "note": ""}
    assert superuser.post(f"{SUPPRESSIONS}add/", form).status_code == 200
    assert not Suppression.objects.exists()


def test_a_suppression_can_be_removed_but_not_changed(superuser: Client, owner: User) -> None:
    row = Suppression.objects.create(
        owner=owner, address="ada@example.org", reason=SuppressionReason.BOUNCED
    )
    change_url = reverse("admin:notifications_suppression_change", args=[row.pk])
    assert superuser.post(change_url, {"address": "x@example.org"}).status_code == 403
    delete = reverse("admin:notifications_suppression_delete", args=[row.pk])
    assert "messages go to the address again" in superuser.get(delete).content.decode()
    assert superuser.post(delete, {"post": "yes", "why": "It was mended"}).status_code == 302
    assert not Suppression.objects.exists()


def test_the_request_log_shows_refused_requests_of_nobody_too(viewer: Client, owner: User) -> None:
    RequestLogFactory(owner=None, status=401, path="/v1/mail?<b>x</b>")
    RequestLogFactory(owner=owner, status=200)
    assert "<b>x</b>" not in viewer.get(REQUESTS).content.decode()

    def shown(**parameters: str) -> list[int]:
        rows = viewer.get(REQUESTS, parameters).context["cl"].result_list
        return [row.status for row in rows]

    assert shown() == [200, 401]
    assert shown(answer="unknown") == [401]
    assert shown(answer="refused") == [401]
    assert shown(answer="done") == [200]
    assert shown(owner="shop") == [200]


def test_a_user_can_be_made_and_changed(superuser: Client, owner: User) -> None:
    form = {
        "username": "grace",
        "usable_password": "true",
        "password1": "correct horse",
        "password2": "correct horse",
    }
    assert superuser.post("/admin/notifications/user/add/", form).status_code == 302
    assert User.objects.get(username="grace").check_password("correct horse")
    page = reverse("admin:notifications_user_change", args=[owner.pk])
    assert superuser.get(page).status_code == 200


def test_staff_who_may_only_change_messages_cannot_reach_accounts(db: None) -> None:
    clerk = signed_in(make_staff("clerk", ["view_message", "change_message"]))
    assert clerk.get("/admin/notifications/user/").status_code == 403


def test_a_users_limits_are_set_on_the_users_page(superuser: Client) -> None:
    user = UserFactory()
    joined = timezone.localtime(user.date_joined)
    form = {
        "username": user.username,
        "is_active": "on",
        "date_joined_0": joined.strftime("%Y-%m-%d"),
        "date_joined_1": joined.strftime("%H:%M:%S"),
        "sending_limit-TOTAL_FORMS": "1",
        "sending_limit-INITIAL_FORMS": "0",
        "sending_limit-0-owner": str(user.pk),
        "sending_limit-0-messages_per_day": "500",
    }
    url = reverse("admin:notifications_user_change", args=[user.pk])
    assert "Messages per day" in superuser.get(url).content.decode()
    refused = superuser.post(url, {**form, "sending_limit-0-messages_per_day": "0"})
    assert "greater than or equal to 1" in refused.content.decode()
    assert superuser.post(url, form).status_code == 302
    limit = SendingLimit.objects.get(owner=user)
    assert (limit.requests_per_second, limit.messages_per_day) == (None, 500)
