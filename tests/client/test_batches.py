"""Batches through the client."""

from dataclasses import replace

import pytest

from limbo_client import ImpossibleRequestError, Limbo
from limbo_client.results import Refused, Submitted
from notifications.models import Message
from tests.client.test_messages import HELLO


def test_what_became_of_each_message_is_in_its_place(limbo: Limbo) -> None:
    stored, refused = limbo.send_batch([HELLO, replace(HELLO, to="nobody")])
    assert isinstance(stored, Submitted)
    assert limbo.get(stored.id).subject == "Hello"
    assert isinstance(refused, Refused)
    assert (refused.status, refused.errors[0].pointer) == (422, "#/messages/1/to")


def test_a_batch_is_stored_once_under_its_key(limbo: Limbo) -> None:
    first = limbo.send_batch([HELLO, HELLO], idempotency_key="news")
    second = limbo.send_batch([HELLO, HELLO], idempotency_key="news")
    assert [one.is_replayed for one in second if isinstance(one, Submitted)] == [True, True]
    assert [one.id for one in (*first, *second) if isinstance(one, Submitted)][:2] == [
        one.id for one in second if isinstance(one, Submitted)
    ]
    assert Message.objects.count() == 2


def test_an_atomic_batch_is_refused_as_a_whole(limbo: Limbo) -> None:
    with pytest.raises(ImpossibleRequestError) as caught:
        limbo.send_batch([HELLO, replace(HELLO, to="nobody")], atomic=True)
    assert caught.value.errors[0].pointer == "#/messages/1/to"
    assert not Message.objects.exists()
