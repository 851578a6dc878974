"""The page of one's tokens."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from notifications.intake.tokens import authenticate, issue_token
from notifications.models import ApiToken, Scope, User

pytestmark = pytest.mark.django_db

PAGE = "/tokens/"
NEW = {"name": "shop", "scopes": ["send"], "lasts": "30"}


def text_of(client: Client, path: str = PAGE) -> str:
    """The page's text, in one line."""
    answer = client.get(path)
    assert answer.status_code == 200
    bare = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(bare).split())


def test_a_token_is_shown_once_and_works(signed_in: Client, ada: User) -> None:
    answer = signed_in.post(PAGE, NEW)
    assert "no-store" in answer.headers["Cache-Control"]
    (plain,) = set(re.findall(r"lk_[\w-]{40,}", answer.content.decode()))
    token = authenticate(plain)
    assert token is not None
    assert (token.owner, token.name, token.scopes) == (ada, "shop", ["send"])
    assert token.expires_at is not None
    left = token.expires_at - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)
    page = text_of(signed_in)
    assert plain not in page
    assert f"shop {token.prefix}… may send until" in page
    assert "last used" in page


def test_a_token_may_last_until_it_is_revoked(signed_in: Client) -> None:
    signed_in.post(PAGE, {**NEW, "lasts": ""})
    assert ApiToken.objects.get().expires_at is None
    assert "until it is revoked · never used" in text_of(signed_in)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "a" * 101}, "at most 100 characters"),
        ({"scopes": []}, "This field is required."),
        ({"scopes": ["fly"]}, "fly is not one of the available choices"),
        ({"lasts": "7"}, "7 is not one of the available choices"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_made(
    signed_in: Client, fields: dict[str, object], told: str
) -> None:
    answer = signed_in.post(PAGE, {**NEW, **fields})
    assert told in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_after_a_question(signed_in: Client, ada: User) -> None:
    token, plain = issue_token(owner=ada, name="shop")
    path = f"{PAGE}{token.id}/revoke/"
    assert "Revoke “shop”?" in text_of(signed_in, path)
    assert authenticate(plain) is not None
    assert signed_in.post(path).status_code == 302
    assert authenticate(plain) is None
    page = text_of(signed_in)
    assert "shop" in page
    assert "revoked" in page


def test_anothers_tokens_are_not_there(signed_in: Client, eve: User) -> None:
    token, plain = issue_token(owner=eve, name="secret plan", scopes=list(Scope))
    assert "secret plan" not in text_of(signed_in)
    path = f"{PAGE}{token.id}/revoke/"
    assert signed_in.get(path).status_code == signed_in.post(path).status_code == 404
    assert authenticate(plain) is not None


def test_strangers_are_led_to_sign_in(client: Client, ada: User) -> None:
    token, _ = issue_token(owner=ada, name="shop")
    for path in (PAGE, f"{PAGE}{token.id}/revoke/"):
        for answer in (client.get(path), client.post(path, NEW)):
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/sign-in/")
    assert ApiToken.objects.get().revoked_at is None


def test_a_token_for_tests_says_so(signed_in: Client) -> None:
    signed_in.post(PAGE, {**NEW, "is_test": "on"})
    token = ApiToken.objects.get()
    assert token.is_test
    assert f"shop {token.prefix}… for tests · may send" in text_of(signed_in)
