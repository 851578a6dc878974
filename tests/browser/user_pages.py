"""Every page of a user's, from the addresses themselves, with something on it."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.urls import reverse

from notifications.delivery.reading import Reading
from notifications.history.sharing import key_of, share
from notifications.models import Message, User
from notifications.web.sign_in.urls import urlpatterns as account_pages
from tests.factories import RequestLogFactory
from tests.stories import accepted, answered, handed_over
from tests.web.test_isolation import LISTS, MAKES, ONE

NO_PAGES = {"link-revoke", "message-live", "template-frame"}
"""What only forms and scripts ask for, and the frame with a body, which is its writer's."""

STRANGERS = (
    "account_login",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
)

_LATER = {"mfa_edit_webauthn", "mfa_remove_webauthn", "mfa_deactivate_totp"}
"""There only with a passkey, or with an app."""

_AT_SIGN_IN = {
    "account_logout",
    "account_reset_password_from_key",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_download_recovery_codes",
    "mfa_view_recovery_codes",
}
"""Steps of signing in and what leads on to them, which the tests of signing in go through."""


def fill(owner: User) -> None:
    """Give the user messages that have gone well and badly, and requests."""
    answered_message(owner)
    late = accepted(owner, "carol@example.org", "dan@example.net", subject="Your order")
    answered(handed_over(late, to="first"), Reading.UNREACHABLE, code=None, answer="refused")
    RequestLogFactory(owner=owner)
    RequestLogFactory(owner=owner, status=422)


def own_pages(owner: User) -> Iterator[str]:
    """The pages that are there when the user has signed in."""
    made = {make: make(owner) for make in set(ONE.values())}
    for name in sorted(LISTS | MAKES):
        yield reverse(f"web:{name}")
    for name, make in ONE.items():
        if name not in NO_PAGES:
            yield reverse(f"web:{name}", args=[made[make]])
    for page in account_pages:
        if page.name not in {*STRANGERS, *_LATER, *_AT_SIGN_IN}:
            yield reverse(str(page.name))


def open_pages(owner: User) -> Iterator[str]:
    """The pages that are there for everybody."""
    for name in STRANGERS:
        yield reverse(name)
    message = answered_message(owner)
    with transaction.atomic():
        link = share(message, delivery=None, lasts=timedelta(days=1))
    yield reverse("web:shared", args=[key_of(link)])
    yield reverse("api:problems")
    yield reverse("api:problem", args=["invalid-request"])
    yield "/there-is-no-such-page/"


def answered_message(owner: User) -> Message:
    """A message that a provider took."""
    message = accepted(owner, "bob@example.org", subject="Your invoice")
    answered(handed_over(message))
    return message
