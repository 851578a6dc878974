"""No user sees another's anything on the pages: a decision for every address, and a test of each.

The matrix is made from the addresses themselves, so that a new one fails here until it is decided.
"""

import re
from collections.abc import Callable, Mapping
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from notifications.history.sharing import share
from notifications.intake.templates.drafts import Draft
from notifications.intake.templates.keeping import create_template
from notifications.intake.tokens import issue_token
from notifications.models import Message, User
from notifications.web.urls import urlpatterns
from tests.factories import RequestLogFactory
from tests.stories import DAY, accepted

PUBLIC = {"sign-in", "sign-out", "shared"}
"""These show nothing that belongs to an account; `test_sharing` is about the last one."""

LISTS = {"messages", "requests", "templates", "tokens", "usage"}
"""Another user's are not among them."""

MAKES = {"template-new"}
"""An empty form."""


def _message(owner: User) -> UUID:
    return accepted(owner, "bob@example.org", subject="confidential").id


def _link(owner: User) -> UUID:
    with transaction.atomic():
        return share(accepted(owner, "bob@example.org"), delivery=None, lasts=DAY).id


def _template(owner: User) -> UUID:
    draft = Draft(name="confidential", subject="confidential", text="confidential")
    return create_template(owner=owner, draft=draft).template_id


def _token(owner: User) -> UUID:
    return issue_token(owner=owner, name="confidential")[0].id


ONE: Mapping[str, Callable[[User], UUID]] = {
    "message": _message,
    "message-live": _message,
    "message-cancel": _message,
    "message-retry": _message,
    "links": _message,
    "link-revoke": _link,
    "template": _template,
    "template-edit": _template,
    "template-delete": _template,
    "template-preview": _template,
    "template-frame": _template,
    "token-revoke": _token,
}
"""Another user's is not there."""


def test_every_address_of_the_pages_has_its_decision() -> None:
    named = sorted(str(entry.name) for entry in urlpatterns)
    assert named == sorted([*PUBLIC, *LISTS, *MAKES, *ONE])


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_anothers_is_not_there_as_if_there_were_none(
    signed_in: Client, eve: User, name: str, method: str
) -> None:
    there, nowhere = (reverse(f"web:{name}", args=[id_]) for id_ in (ONE[name](eve), uuid4()))
    owner = Client()
    owner.force_login(eve)
    mine, theirs, nobodys = (
        getattr(client, method)(path, headers={"Accept": "text/html"})
        for client, path in ((owner, there), (signed_in, there), (signed_in, nowhere))
    )
    if theirs.status_code == 405:
        assert nobodys.status_code == 405
        return
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert _without_tokens(theirs.content) == _without_tokens(nobodys.content)
    assert mine.status_code != 404


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_list_shows_the_users_own(signed_in: Client, eve: User, name: str) -> None:
    for make in (_message, _template, _token):
        make(eve)
    RequestLogFactory(owner=eve, path="/v1/confidential")
    Message.objects.filter(owner=eve).update(tags=["confidential"])
    owner = Client()
    owner.force_login(eve)
    path = reverse(f"web:{name}")
    assert b"confidential" in owner.get(path).content
    assert b"confidential" not in signed_in.get(path).content


@pytest.mark.parametrize("name", [*LISTS, *MAKES, *(set(ONE) - {"message-live"})])
def test_strangers_are_led_to_sign_in(client: Client, name: str, db: None) -> None:
    path = reverse(f"web:{name}", args=[uuid4()] if name in ONE else [])
    answers = [client.get(path), client.post(path)]
    assert {answer.status_code for answer in answers} <= {302, 405}
    led = [answer.headers["Location"] for answer in answers if answer.status_code == 302]
    assert led
    assert all(address.startswith("/sign-in/?next=") for address in led)


def _without_tokens(page: bytes) -> str:
    return re.sub(r"[0-9a-f-]{36}|csrf\S+", "", page.decode())
