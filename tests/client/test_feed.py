"""Following the event feed through the client."""

import json
import threading
from typing import Any

import pytest

from limbo_client import ForbiddenError, Limbo
from tests.client.conftest import client_of
from tests.client.test_messages import HELLO
from tests.peers.http_peer import Answer, HttpPeer


def told(events: list[dict[str, Any]]) -> str:
    """A stretch of the feed as Limbo tells it."""
    return json.dumps({"results": events, "cursor": "e1", "next": "", "has_more": False})


EVENT: dict[str, Any] = {
    "message_id": "019abbfd-7f5e-7d31-a5a3-6f4d2c0a9b11",
    "delivery_id": None,
    "seq": 1,
    "kind": "accepted",
    "at": "2026-11-25T10:02:11.120000Z",
    "recipient": None,
    "applied": True,
    "data": {},
}
TOLD = Answer(200, told([EVENT]))


def test_the_feed_tells_every_event_in_order_and_ends_if_it_need_not_wait(limbo: Limbo) -> None:
    sent = [limbo.send(HELLO).id for _ in range(5)]
    events = list(limbo.events(page_size=2, wait=0))
    assert [(event.message_id, event.seq, event.kind) for event in events] == [
        (id_, 1, "accepted") for id_ in sent
    ]


def test_a_feed_is_resumed_where_it_was_left(limbo: Limbo) -> None:
    sent = [limbo.send(HELLO).id for _ in range(3)]
    feed = limbo.events(page_size=1, wait=0)
    assert next(feed).message_id == sent[0]
    assert [event.message_id for event in limbo.events(feed.cursor, wait=0)] == sent[1:]


def test_who_resumes_within_a_stretch_misses_nothing(limbo: Limbo) -> None:
    sent = [limbo.send(HELLO).id for _ in range(3)]
    feed = limbo.events(page_size=2, wait=0)
    next(feed)
    assert [event.message_id for event in limbo.events(feed.cursor, wait=0)] == sent
    next(feed)
    assert [event.message_id for event in limbo.events(feed.cursor, wait=0)] == sent[2:]


def test_the_feed_waits_for_what_happens_next(limbo: Limbo, url: str, token: str) -> None:
    limbo.send(HELLO)
    feed = limbo.events("end", wait=0)
    assert list(feed) == []
    later = threading.Timer(0.5, _send, [url, token])
    later.start()
    event = next(limbo.events(feed.cursor))
    later.join()
    assert (event.kind, event.seq) == ("accepted", 1)


def _send(url: str, token: str) -> None:
    with Limbo(url, token) as limbo:
        limbo.send(HELLO)


def test_the_end_is_a_cursor_that_can_be_kept(limbo: Limbo) -> None:
    limbo.send(HELLO)
    feed = limbo.events("end", wait=0)
    list(feed)
    sent = limbo.send(HELLO).id
    assert feed.cursor != "end"
    assert [event.message_id for event in limbo.events(feed.cursor, wait=0)] == [sent]


def test_a_feed_goes_on_after_an_error(kind: str) -> None:
    with HttpPeer([TOLD, Answer(403), TOLD]) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        feed = limbo.events()
        assert next(feed).seq == 1
        with pytest.raises(ForbiddenError):
            next(feed)
        assert next(feed).seq == 1
        assert [request.path for request in peer.requests[1:]] == [
            "/v1/events?cursor=e1&wait=30"
        ] * 2


def test_a_feed_that_is_turned_away_pauses_as_it_is_told(kind: str) -> None:
    away = Answer(200, told([]), {"Retry-After": "1"})
    with HttpPeer([away, TOLD]) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        next(limbo.events())
        first, second = peer.requests
        assert second.at - first.at >= 0.9
