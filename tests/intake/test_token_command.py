"""`manage.py token`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.intake.tokens import authenticate, issue_token
from notifications.models import ApiToken
from tests.factories import ApiTokenFactory, UserFactory

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    """Run the command; returns what it wrote to standard output."""
    out = StringIO()
    call_command("token", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_create_prints_the_token_alone() -> None:
    owner = UserFactory(username="ada")
    plain = run("create", "--user", "ada", "--name", "shop").strip()
    token = authenticate(plain)
    assert token is not None
    assert (token.owner, token.name, token.scopes) == (owner, "shop", ["send", "read"])
    assert token.expires_at is None


def test_create_takes_scopes_and_days() -> None:
    UserFactory(username="ada")
    run("create", "--user", "ada", "--name", "shop", "--scope", "read", "--days", "2")
    token = ApiToken.objects.get()
    assert token.scopes == ["read"]
    assert token.expires_at is not None
    assert abs(token.expires_at - timezone.now() - timedelta(days=2)) < timedelta(minutes=1)


def test_create_for_nobody_is_an_error() -> None:
    with pytest.raises(CommandError, match="nobody"):
        run("create", "--user", "nobody", "--name", "shop")


def test_list_shows_how_each_token_stands_and_never_the_token() -> None:
    ada, bob = UserFactory(username="ada"), UserFactory(username="bob")
    _, plain = issue_token(owner=ada, name="shop")
    past = timezone.now() - timedelta(days=1)
    ApiTokenFactory(owner=bob, name="old", expires_at=past)
    ApiTokenFactory(owner=bob, name="lost", revoked_at=past)
    lines = run("list").splitlines()
    assert [line.split()[2] for line in lines] == ["valid", "expired", "revoked"]
    assert lines[0].split() == [plain[:11], "ada", "valid", "send,read", "shop"]
    assert plain not in "".join(lines)
    assert len(run("list", "--user", "bob").splitlines()) == 2


def test_revoke_ends_a_token_by_its_prefix() -> None:
    _, plain = issue_token(owner=UserFactory(), name="shop")
    run("revoke", plain[:11])
    assert authenticate(plain) is None


def test_revoke_refuses_to_guess() -> None:
    ApiTokenFactory.create_batch(2, prefix="lk_abcdefgh")
    with pytest.raises(CommandError, match="2 tokens"):
        run("revoke", "lk_abcdefgh")
    with pytest.raises(CommandError, match="No tokens"):
        run("revoke", "lk_zzzzzzzz")
    assert not ApiToken.objects.exclude(revoked_at=None).exists()
