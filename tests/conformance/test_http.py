"""HTTP providers: how an answer is read, and that nothing goes round the hand-off's rules."""

import socket
import threading
from contextlib import closing, suppress

import pytest
import requests

from notifications.delivery.handoff import HandoffResult
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from notifications.delivery.transports.http_session import Call, HandoffSession, under_way
from notifications.delivery.transports.patience import Patience
from tests.conformance.ways import Certificates
from tests.delivery.handing_over import Witness, answer, reading, request_to, soon
from tests.peers import Answer, HttpPeer, pause
from tests.peers.actions import Line
from tests.peers.server import PeerServer


def hand_over(url: str, witness: Witness | None = None, *, seconds: float = 60.0) -> HandoffResult:
    """Hand a message over to the Postmark at `url`."""
    config = parse_providers(f"peer=anymail-postmark://KEY@/?api_url={url}")["peer"]
    with closing(open_transport(config)) as transport:
        return transport.send(
            request_to("bob@example.org"), commit=witness or Witness(), deadline=soon(seconds)
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


def test_what_is_slow_before_the_request_leaves_the_answer_its_time(
    certificates: Certificates,
) -> None:
    witness = Witness()
    # the handshake is over before the deadline, but not before the answer's share of it
    with HttpPeer(certificate=certificates.known, on_accept=pause(4.5)) as peer:
        assert reading(hand_over(peer.url, witness, seconds=6)) is Reading.UNREACHABLE
        assert peer.requests == []
    assert witness.calls == 0


def test_a_redirect_is_not_followed() -> None:
    with HttpPeer() as other, HttpPeer(Answer(307, headers={"Location": other.url})) as peer:
        result = hand_over(peer.url)
        assert (reading(result), answer(result)) == (Reading.REFUSED_HERE, "{}")
        assert other.requests == []


def test_no_library_can_write_a_request_twice() -> None:
    witness = Witness()
    with (
        HttpPeer() as peer,
        closing(HandoffSession()) as session,
        under_way(Call(Patience.until(soon()), witness)),
    ):
        session.post(peer.url, json={})
        with pytest.raises(requests.RequestException, match="only once"):
            session.post(peer.url, json={})
        assert len(peer.requests) == 1
    assert witness.calls == 1


def test_a_proxy_changes_nothing_of_when_commit_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    witness = Witness()
    with HttpPeer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert reading(hand_over("http://provider.invalid/", witness)) is Reading.QUEUED
        assert len(proxy.taken) == 1
    assert witness.calls == 1


class Tunnel(PeerServer):
    """A proxy that connects its clients through, as for HTTPS."""

    def converse(self, line: Line) -> None:
        """Read the head of CONNECT, connect, and pass on in both directions."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += line.sock.recv(1)
        host, _, port = head.split(b" ")[1].decode().partition(":")
        with socket.create_connection((host, int(port))) as other:
            line.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(other, line.sock))
            back.start()
            _pass_on(line.sock, other)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_a_tunnel_changes_nothing_either(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    witness = Witness()
    with Tunnel() as proxy, HttpPeer(certificate=certificates.known) as peer:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        assert reading(hand_over(peer.url, witness)) is Reading.QUEUED
        assert (len(peer.taken), proxy.connections) == (1, 1)
    assert witness.calls == 1


def test_a_proxy_that_is_gone_means_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    witness = Witness()
    with HttpPeer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
    assert reading(hand_over("http://provider.invalid/", witness)) is Reading.UNREACHABLE
    assert witness.calls == 0
