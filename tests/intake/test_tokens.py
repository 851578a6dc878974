"""Tokens open the API for their owner, for as long and as far as they say."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.intake import tokens
from notifications.intake.known_tokens import KNOWN_SECONDS, KnownTokens
from notifications.intake.tokens import authenticate, issue_token, revoke
from notifications.models import ApiToken, Scope
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def look_up_again() -> None:
    """Let this process have forgotten every token."""
    tokens._known = KnownTokens()


def test_a_token_is_shown_once_and_stored_hashed() -> None:
    token, plain = issue_token(owner=UserFactory(), name="shop")
    assert plain.startswith("lk_")
    assert len(plain) >= len("lk_") + 32
    assert token.prefix == plain[:11]
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text, encode(digest, 'escape') FROM notifications_apitoken t")
        assert plain[11:] not in str(cursor.fetchall())


def test_no_two_tokens_are_the_same() -> None:
    owner = UserFactory()
    assert len({issue_token(owner=owner, name="shop")[1] for _ in range(100)}) == 100


def test_a_token_is_known_again_with_its_owner() -> None:
    owner = UserFactory()
    token, plain = issue_token(owner=owner, name="shop")
    found = authenticate(plain)
    assert found == token
    assert found is not None
    assert found.owner == owner
    assert found.scopes == ["send", "read"]


@pytest.mark.parametrize("text", ["", "lk_", "lk_wrong", "Bearer", "lk_\udce4", "lk_ä", "lk_\0"])
def test_another_text_is_no_token(text: str) -> None:
    issue_token(owner=UserFactory(), name="shop")
    assert authenticate(text) is None


def test_a_token_that_lost_a_character_is_none() -> None:
    _, plain = issue_token(owner=UserFactory(), name="shop")
    assert authenticate(plain[:-1]) is None
    assert authenticate(plain.upper()) is None


def test_a_text_without_the_mark_is_not_looked_up() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert authenticate("xx_abc") is None
    assert len(queries) == 0


def test_a_revoked_token_opens_nothing() -> None:
    token, plain = issue_token(owner=UserFactory(), name="shop")
    revoke(token)
    assert token.revoked_at is not None
    assert authenticate(plain) is None


def test_revoking_twice_keeps_the_first_time() -> None:
    token, _ = issue_token(owner=UserFactory(), name="shop")
    first = timezone.now() - timedelta(days=1)
    ApiToken.objects.update(revoked_at=first)
    revoke(token)
    assert token.revoked_at == first


def test_a_token_ends_when_it_expires() -> None:
    now = timezone.now()
    _, past = issue_token(owner=UserFactory(), name="a", expires_at=now - timedelta(seconds=1))
    _, future = issue_token(owner=UserFactory(), name="b", expires_at=now + timedelta(hours=1))
    assert authenticate(past) is None
    assert authenticate(future) is not None


def test_a_token_of_an_inactive_owner_opens_nothing() -> None:
    _, plain = issue_token(owner=UserFactory(is_active=False), name="shop")
    assert authenticate(plain) is None


def test_a_token_may_have_one_scope() -> None:
    token, _ = issue_token(owner=UserFactory(), name="shop", scopes=[Scope.READ])
    assert token.scopes == ["read"]
    with pytest.raises(ValueError, match="fly"):
        issue_token(owner=UserFactory(), name="shop", scopes=["fly"])


def test_its_last_use_is_written_at_most_once_a_minute() -> None:
    token, plain = issue_token(owner=UserFactory(), name="shop")
    authenticate(plain)
    token.refresh_from_db()
    assert token.last_used_at is not None
    with CaptureQueriesContext(connection) as queries:
        look_up_again()
        authenticate(plain)
    assert len(queries) == 1
    look_up_again()
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    authenticate(plain)
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < timedelta(seconds=60)


def test_a_token_that_was_just_looked_up_is_not_looked_up_again() -> None:
    _, plain = issue_token(owner=UserFactory(), name="shop")
    first = authenticate(plain)
    with CaptureQueriesContext(connection) as queries:
        assert authenticate(plain) == first
    assert len(queries) == 0


def test_what_was_changed_elsewhere_is_noticed_within_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(tokens, "_known", KnownTokens(lambda: now))
    token, plain = issue_token(owner=UserFactory(), name="shop")
    assert authenticate(plain) is not None
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())
    now += KNOWN_SECONDS - 0.01
    assert authenticate(plain) is not None
    now += 0.02
    assert authenticate(plain) is None


def test_a_known_token_ends_at_the_very_moment_when_it_expires() -> None:
    expires_at = timezone.now() + timedelta(seconds=0.3)
    _, plain = issue_token(owner=UserFactory(), name="shop", expires_at=expires_at)
    while authenticate(plain) is not None:
        assert timezone.now() < expires_at + timedelta(seconds=1)
    assert timezone.now() >= expires_at


def test_the_owners_token_is_taken_from_who_revokes_it_at_once() -> None:
    token, plain = issue_token(owner=UserFactory(), name="shop")
    assert authenticate(plain) is not None
    revoke(token)
    assert authenticate(plain) is None


def test_no_more_tokens_are_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("notifications.intake.known_tokens._MOST", 3)
    known = KnownTokens()
    issued = [issue_token(owner=UserFactory(), name="shop")[0] for _ in range(5)]
    for token in issued:
        known.put(token)
    assert [known.get(bytes(token.digest)) == token for token in issued] == [False] * 3 + [True] * 2
