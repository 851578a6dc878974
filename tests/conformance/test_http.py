"""HTTP providers: how an answer is read, and that nothing goes round the hand-off's rules."""

from contextlib import closing

import pytest

from notifications.delivery.handoff import HandoffResult
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from tests.delivery.handing_over import Witness, answer, reading, request_to, soon
from tests.peers import Answer, HttpPeer


def hand_over(url: str, witness: Witness | None = None) -> HandoffResult:
    """Hand a message over to the Postmark at `url`."""
    config = parse_providers(f"peer=anymail-postmark://KEY@/?api_url={url}")["peer"]
    with closing(open_transport(config)) as transport:
        return transport.send(
            request_to("bob@example.org"), commit=witness or Witness(), deadline=soon(60)
        )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Answer(401), Reading.MISCONFIGURED),
        (Answer(402), Reading.EXHAUSTED),
        (Answer(429), Reading.EXHAUSTED),
        (Answer(403), Reading.REFUSED_HERE),
        (Answer(404), Reading.REFUSED_HERE),
        (Answer(400), Reading.MESSAGE_REFUSED),
        (Answer(413), Reading.MESSAGE_REFUSED),
        (Answer(422), Reading.MESSAGE_REFUSED),
        (Answer(500), Reading.AMBIGUOUS),
        (Answer(503), Reading.AMBIGUOUS),
        (Answer(200, "garbage"), Reading.AMBIGUOUS),
        (Answer(200, ""), Reading.AMBIGUOUS),
    ],
)
def test_a_provider_is_read_by_its_status_and_body(given: Answer, expected: Reading) -> None:
    with HttpPeer(given) as peer:
        assert reading(hand_over(peer.url)) is expected
        assert len(peer.requests) == 1


def test_what_came_of_an_answer_that_broke_off_is_kept_for_staff() -> None:
    with HttpPeer(Answer(200, '{"MessageID": "only this', missing=100)) as peer:
        assert "only this" in answer(hand_over(peer.url))


def test_a_redirect_is_not_followed() -> None:
    with HttpPeer() as other, HttpPeer(Answer(307, headers={"Location": other.url})) as peer:
        assert reading(hand_over(peer.url)) is Reading.REFUSED_HERE
        assert other.requests == []


def test_a_proxy_changes_nothing_of_when_commit_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    witness = Witness()
    with HttpPeer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert reading(hand_over("http://provider.invalid/", witness)) is Reading.QUEUED
        assert len(proxy.taken) == 1
    assert witness.calls == 1


def test_a_proxy_that_is_gone_means_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    witness = Witness()
    with HttpPeer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
    assert reading(hand_over("http://provider.invalid/", witness)) is Reading.UNREACHABLE
    assert witness.calls == 0
