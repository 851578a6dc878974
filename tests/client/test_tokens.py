"""Tokens through the client, and through `limbo tokens`."""

import json
from datetime import UTC, datetime

import pytest

from limbo_client import ImpossibleRequestError, Limbo
from limbo_client.command import main
from limbo_client.command.exits import Exit
from notifications.intake.tokens import issue_token
from notifications.models import ApiToken, Scope, User


@pytest.fixture
def token(owner: User) -> str:
    """The token of the owner's application, which may not read what messages say."""
    scopes = (Scope.MANAGE, Scope.READ, Scope.SEND)
    _, token = issue_token(owner=owner, name="client", scopes=scopes)
    return token


def test_a_token_is_made_listed_and_revoked(limbo: Limbo, url: str) -> None:
    ends = datetime(2099, 1, 1, tzinfo=UTC)
    made = limbo.create_token(
        "shop", scopes=["read"], expires_at=ends, allowed_senders=["example.com"]
    )
    assert (made.scopes, made.expires_at, made.allowed_senders) == (
        ("read",),
        ends,
        ("example.com",),
    )
    with Limbo(url, made.token) as other:
        assert list(other.list()) == []
        limbo.revoke_token(made.id)
    assert [token.name for token in limbo.list_tokens()] == ["shop", "client"]
    assert ApiToken.objects.get(id=made.id).revoked_at is not None


def test_it_gives_no_more_than_it_has(limbo: Limbo) -> None:
    with pytest.raises(ImpossibleRequestError) as caught:
        limbo.create_token("shop", scopes=["content"])
    assert caught.value.errors[0].code == "not_yours"


def test_the_command_prints_the_token_alone(
    url: str, token: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMBO_URL", url)
    monkeypatch.setenv("LIMBO_TOKEN", token)
    assert main(["tokens", "create", "shop", "--scope", "manage"]) == Exit.DONE
    told = capsys.readouterr()
    new = told.out.strip()
    assert new.startswith("lk_")
    assert new not in told.err
    monkeypatch.setenv("LIMBO_TOKEN", new)
    assert main(["tokens", "list"]) == Exit.DONE
    listed = capsys.readouterr().out.splitlines()
    assert [line.rpartition("  ")[2] for line in listed] == ["shop", "client"]
    assert new not in "".join(listed)
    assert main(["tokens", "list", "--json"]) == Exit.DONE
    shown = json.loads(capsys.readouterr().out)
    monkeypatch.setenv("LIMBO_TOKEN", token)
    assert main(["tokens", "revoke", shown[0]["id"]]) == Exit.DONE
    assert main(["tokens", "list"]) == Exit.DONE
    assert "revoked" in capsys.readouterr().out.splitlines()[0]
