"""A flaky server: what the client tries again, how long it waits, and when it gives up."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from limbo_client import (
    ImpossibleRequestError,
    Limbo,
    Retrying,
    ServerError,
    TooManyRequestsError,
    UnreachableError,
)
from limbo_client.answers import Answer as Heard
from limbo_client.calls import create_template, get, send
from notifications.models import Message
from tests.client.conftest import client_of
from tests.client.test_messages import HELLO
from tests.e2e.system import System, free_port
from tests.peers.actions import drop
from tests.peers.http_peer import Answer, HttpPeer, HttpRequest

TAKEN = Answer(200, '{"id": "1", "state": "pending", "url": "u"}')


def taken(_: HttpRequest) -> Answer:
    """Take it as Limbo does."""
    return TAKEN


@pytest.mark.parametrize("answer", [Answer(500), Answer(502), Answer(503), Answer(200, missing=9)])
def test_a_send_that_fails_is_repeated_under_the_same_key(kind: str, answer: Answer) -> None:
    with HttpPeer([answer, answer], speak=taken) as peer:
        with client_of(kind, peer.url, "lk_x") as limbo:
            assert limbo.send(HELLO).id == "1"
            limbo.send(HELLO)
        keys = [request.headers["idempotency-key"] for request in peer.requests]
        assert len(keys) == 4
        assert keys[0] == keys[1] == keys[2] != keys[3]
        assert peer.requests[0].body == peer.requests[2].body


def test_a_message_whose_answer_was_lost_is_stored_once(
    kind: str, web: System, url: str, token: str
) -> None:
    is_first = iter([True])

    def pass_on(request: HttpRequest) -> Answer:
        headers = {name: request.headers[name] for name in ("authorization", "idempotency-key")}
        headers["content-type"] = "application/json"
        answer = httpx.post(url + request.path, content=request.body, headers=headers)
        told = {
            name: answer.headers[name]
            for name in ("idempotency-replayed",)
            if name in answer.headers
        }
        return Answer(
            answer.status_code, answer.text, told, missing=5 if next(is_first, False) else 0
        )

    with HttpPeer(speak=pass_on) as peer, client_of(kind, peer.url, token) as limbo:
        submitted = limbo.send(HELLO)
    assert submitted.is_replayed
    assert [str(message.id) for message in Message.objects.all()] == [submitted.id]


def test_a_connection_that_is_cut_is_tried_again_and_then_told(kind: str) -> None:
    with HttpPeer(on_request=drop()) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        with pytest.raises(UnreachableError):
            limbo.send(HELLO)
        assert len(peer.requests) == 4


def test_a_server_that_is_not_there_is_told_in_plain_words(kind: str) -> None:
    limbo = client_of(kind, f"http://127.0.0.1:{free_port()}", "lk_x")
    with limbo, pytest.raises(UnreachableError, match="Limbo did not answer"):
        limbo.get("1")


def test_a_server_that_goes_on_failing_is_told_after_the_last_try(kind: str) -> None:
    with HttpPeer(Answer(500)) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        with pytest.raises(ServerError):
            limbo.send(HELLO)
        assert len(peer.requests) == 4


def test_what_is_refused_is_not_tried_again(kind: str) -> None:
    with HttpPeer(Answer(422)) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        with pytest.raises(ImpossibleRequestError):
            limbo.send(HELLO)
        assert len(peer.requests) == 1


@pytest.mark.parametrize("status", [409, 429, 503])
def test_a_client_that_is_asked_to_wait_waits(kind: str, status: int) -> None:
    later = Answer(status, headers={"Retry-After": "1"})
    with HttpPeer([later], speak=taken) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        limbo.send(HELLO)
        first, second = peer.requests
        assert second.at - first.at >= 0.9


def test_a_client_that_is_asked_to_wait_too_long_says_so(kind: str) -> None:
    later = Answer(429, json.dumps({"detail": "Enough for today."}), {"Retry-After": "3600"})
    with HttpPeer(later) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        with pytest.raises(TooManyRequestsError, match="Enough for today") as caught:
            limbo.send(HELLO)
        assert (caught.value.retry_after, len(peer.requests)) == (3600, 1)


@pytest.mark.parametrize(
    ("ask", "tries"),
    [
        (lambda limbo: limbo.create_template("a", subject="S", text="T"), 1),
        (lambda limbo: limbo.delete_template("a"), 1),
        (lambda limbo: limbo.change_template("a", text="T"), 4),
        (lambda limbo: limbo.get("a"), 4),
    ],
)
def test_only_what_may_arrive_twice_is_repeated(
    kind: str, ask: Callable[[Limbo], object], tries: int
) -> None:
    with HttpPeer(Answer(500)) as peer, client_of(kind, peer.url, "lk_x") as limbo:
        with pytest.raises(ServerError):
            ask(limbo)
        assert len(peer.requests) == tries


def test_what_never_began_is_repeated_whatever_it_does() -> None:
    retrying = Retrying()
    call = create_template("a", subject="S", text="T")
    assert retrying.pause(call, httpx.ConnectError("refused"), 1) is not None
    assert retrying.pause(call, httpx.ReadTimeout("silence"), 1) is None
    assert retrying.pause(get("1"), httpx.ReadTimeout("silence"), 1) is not None


def test_pauses_are_drawn_from_ranges_that_double_up_to_the_longest() -> None:
    retrying = Retrying(tries=10, first_pause=1.0, longest_pause=4.0)
    for tries, most in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 4.0)):
        drawn = [retrying.pause(send(HELLO), Heard(500, "", {}, b""), tries) for _ in range(300)]
        pauses = [pause for pause in drawn if pause is not None]
        assert len(pauses) == 300
        assert most * 0.8 < max(pauses) <= most
        assert min(pauses) < most * 0.2
    assert retrying.pause(send(HELLO), Heard(500, "", {}, b""), 10) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(text: str, seconds: float | None) -> None:
    heard = Heard(503, "", {"retry-after": text}, b"").retry_after
    assert heard == (None if seconds is None else pytest.approx(seconds, abs=600))


def test_retry_after_may_be_a_moment() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    heard = Heard(503, "", {"retry-after": later}, b"").retry_after
    assert heard == pytest.approx(3600, abs=600)
