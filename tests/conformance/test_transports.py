"""What every way out must do, whoever the provider is; against real servers that misbehave."""

import logging
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Transport
from notifications.delivery.provider_config import ProviderConfig, parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from notifications.delivery.transports import http_session
from notifications.delivery.transports import smtp as smtp_transport
from notifications.models.lease import LeaseLostError
from tests.conformance.faults import EXPECTED, TIMED, Fault
from tests.conformance.ways import GONE, RETRY_AFTER_SECONDS, SECRET, WAYS, Certificates, Peer, Way
from tests.conftest import wait_until
from tests.delivery.handing_over import (
    Witness,
    outgoing,
    reading,
    readings,
    recipient,
    request_for,
    request_to,
    soon,
)
from tests.peers import HttpPeer, SmtpPeer

TIMED_SECONDS = 8.0
"""The deadline of a hand-off that only its deadline ends."""

SLACK_SECONDS = 20.0
"""By so much a busy machine may be late."""

each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


def pairs(faults: Sequence[Fault]) -> list[Any]:
    """Each way with each of `faults` that its provider may have."""
    return [
        pytest.param(way, fault, id=f"{way.name}-{fault}")
        for way in WAYS
        for fault in faults
        if fault in way.misbehave
    ]


class OnTheSpot(Witness):
    """A witness that looks at the peer when `commit` is called."""

    def __init__(self, peer: Peer) -> None:
        super().__init__()
        self._peer = peer
        self.connections = 0
        self.taken = 0

    def __call__(self) -> None:
        """Note what the peer has seen so far."""
        super().__call__()
        self.connections = self._peer.connections
        self.taken = len(self._peer.taken)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a hand-off ended."""

    result: HandoffResult
    witness: OnTheSpot
    seconds: float


def config_of(way: Way, port: int) -> ProviderConfig:
    """The way's configuration, with its peer at `port`."""
    return parse_providers(way.setting(port))["peer"]


def transport_to(way: Way, peer: Peer) -> Transport:
    """A transport to the peer."""
    return open_transport(config_of(way, peer.port))


def hand_over(way: Way, peer: Peer, request: HandoffRequest, *, seconds: float = 60.0) -> Ended:
    """Hand `request` over to the peer."""
    witness = OnTheSpot(peer)
    with closing(transport_to(way, peer)) as transport:
        begun = time.monotonic()
        result = transport.send(request, commit=witness, deadline=soon(seconds))
        return Ended(result, witness, time.monotonic() - begun)


def misbehaving(way: Way, fault: Fault, certificates: Certificates, seconds: float) -> Ended:
    """How a hand-off ends whose peer misbehaves."""
    with way.peer(certificates, fault) as peer:
        return hand_over(way, peer, request_to("bob@example.org"), seconds=seconds)


Waiting = Mapping[tuple[str, Fault], "Future[Ended]"]


@pytest.fixture(scope="module")
def waiting(certificates: Certificates) -> Iterator[Waiting]:
    """The hand-offs that only their deadline ends, side by side."""
    with ThreadPoolExecutor(len(WAYS) * len(TIMED)) as pool:
        yield {
            (way.name, fault): pool.submit(misbehaving, way, fault, certificates, TIMED_SECONDS)
            for way, fault in (param.values for param in pairs(TIMED))
        }


def judge(fault: Fault, ended: Ended) -> None:
    """Hold the end of a hand-off against the table."""
    expected = EXPECTED[fault]
    assert reading(ended.result) is expected.reading, ended.result
    if expected.commits is not None:
        assert ended.witness.calls == expected.commits
    assert SECRET not in str(ended.result)


@each_way
def test_each_fault_can_happen_or_there_is_a_reason_why_not(way: Way) -> None:
    assert not set(way.misbehave) & set(way.not_applicable)
    assert set(way.misbehave) | set(way.not_applicable) == set(Fault)


@pytest.mark.parametrize(("way", "fault"), pairs([fault for fault in Fault if fault not in TIMED]))
def test_a_provider_that(way: Way, fault: Fault, certificates: Certificates) -> None:
    ended = misbehaving(way, fault, certificates, seconds=60.0)
    judge(fault, ended)
    wait = RETRY_AFTER_SECONDS if fault is Fault.TOO_MANY else None
    assert ended.result.retry_after == wait


@pytest.mark.parametrize(("way", "fault"), pairs(TIMED))
def test_the_deadline_ends_a_provider_that(way: Way, fault: Fault, waiting: Waiting) -> None:
    ended = waiting[way.name, fault].result()
    judge(fault, ended)
    assert ended.seconds < TIMED_SECONDS + SLACK_SECONDS


@each_way
def test_a_provider_that_takes_it_gets_it_once_with_the_handoffs_id(
    way: Way, certificates: Certificates
) -> None:
    request = request_to("bob@example.org")
    with way.peer(certificates) as peer:
        ended = hand_over(way, peer, request)
        assert reading(ended.result) is way.accepted
        assert len(peer.taken) == 1
        assert str(request.handoff_id).encode() in way.carried(peer)
    assert ended.result.provider_message_id
    assert ended.result.retry_after is None


@each_way
def test_commit_is_called_once_when_the_connection_stands_and_nothing_is_taken(
    way: Way, certificates: Certificates
) -> None:
    with way.peer(certificates) as peer:
        witness = hand_over(way, peer, request_to("bob@example.org")).witness
    assert (witness.calls, witness.connections, witness.taken) == (1, 1, 0)


@each_way
def test_whoever_refuses_the_commit_keeps_the_message_from_being_taken(
    way: Way, certificates: Certificates
) -> None:
    request = request_to("bob@example.org")
    with way.peer(certificates) as peer, closing(transport_to(way, peer)) as transport:
        lost = Witness(refusal=LeaseLostError())
        with pytest.raises(LeaseLostError):
            transport.send(request, commit=lost, deadline=soon(60))
        assert (lost.calls, peer.taken) == (1, [])
        # and the transport is none the worse for it
        result = transport.send(request, commit=Witness(), deadline=soon(60))
        assert reading(result) is way.accepted
        assert len(peer.taken) == 1


@each_way
def test_a_closed_port_is_unreachable_and_nothing_was_committed(
    way: Way, certificates: Certificates
) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        config = config_of(way, probe.getsockname()[1])
        witness = Witness()
        with closing(open_transport(config)) as transport:
            result = transport.send(
                request_to("bob@example.org"), commit=witness, deadline=soon(60)
            )
    assert reading(result) is Reading.UNREACHABLE
    assert witness.calls == 0


@each_way
def test_each_recipient_has_a_verdict(way: Way, certificates: Certificates) -> None:
    request = request_to("a@example.org", GONE)
    with way.make_peer(certificates.known, way.refuse_one or {}) as peer:
        result = hand_over(way, peer, request).result
        # one transaction or request serves them all
        assert len(peer.taken) == 1
    gone = Reading.RECIPIENT_REFUSED if way.refuse_one else way.accepted
    assert readings(request, result) == [way.accepted, gone]


@each_way
def test_what_is_declared_of_the_envelope_holds(way: Way, certificates: Certificates) -> None:
    ann, bob = recipient("ann@example.org"), recipient("bob@example.org")
    request = request_for(outgoing(ann, bob), bob)
    with way.peer(certificates) as peer:
        result = hand_over(way, peer, request).result
        if not config_of(way, peer.port).separates_envelope:
            assert reading(result) is Reading.REFUSED_HERE
            assert peer.taken == []
            return
        assert reading(result) is way.accepted
        assert set(result.verdicts) == {bob.delivery_id}
        assert b"ann@example.org" in way.carried(peer)
        if isinstance(peer, SmtpPeer):
            assert peer.taken[0].recipients == ("bob@example.org",)
        else:
            assert peer.taken[0].json["Destination"] == {"ToAddresses": ["bob@example.org"]}


@each_way
def test_a_repeat_goes_under_the_same_key_or_not_at_all(
    way: Way, certificates: Certificates
) -> None:
    request = request_to("bob@example.org")
    witness = Witness()
    with way.peer(certificates) as peer, closing(transport_to(way, peer)) as transport:
        assert bool(config_of(way, peer.port).key_lifetime) is way.repeats
        transport.send(request, commit=witness, deadline=soon(60))
        result = transport.send(replace(request, is_repeat=True), commit=witness, deadline=soon(60))
        assert witness.calls == len(peer.taken)
        if not way.repeats:
            assert reading(result) is Reading.NOT_BEGUN
            assert len(peer.taken) == 1
            return
        assert reading(result) is way.accepted
        assert isinstance(peer, HttpPeer)
        first, second = peer.taken
    assert first.headers["idempotency-key"] == request.idempotency_key
    assert second.headers["idempotency-key"] == request.idempotency_key
    assert first.body == second.body


@each_way
def test_a_connection_serves_one_message_after_the_other_and_is_let_go_when_idle(
    way: Way, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with way.peer(certificates) as peer, closing(transport_to(way, peer)) as transport:
        for _ in range(3):
            assert send(transport) is way.accepted
            transport.close_if_idle()
        assert (peer.connections, peer.open_connections) == (1, 1)
        monkeypatch.setattr(http_session, "IDLE_SECONDS", 0.0)
        monkeypatch.setattr(smtp_transport, "IDLE_SECONDS", 0.0)
        transport.close_if_idle()
        wait_until(lambda: peer.open_connections == 0)


@each_way
def test_a_connection_that_went_stale_is_replaced(way: Way, certificates: Certificates) -> None:
    with way.peer(certificates) as peer, closing(transport_to(way, peer)) as transport:
        for connections in (1, 2):
            assert send(transport) is way.accepted
            assert peer.connections == connections
            peer.hang_up()
            wait_until(lambda: peer.open_connections == 0)
        assert len(peer.taken) == 2


@each_way
def test_its_secret_is_shown_by_nothing(
    way: Way, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with way.peer(certificates) as peer, closing(transport_to(way, peer)) as transport:
        assert send(transport) is way.accepted
        assert SECRET not in repr(config_of(way, peer.port))
        assert SECRET not in repr(transport)
    assert SECRET not in caplog.text


def send(transport: Transport) -> Reading:
    """Hand a message over; returns how it was read."""
    result = transport.send(request_to("bob@example.org"), commit=Witness(), deadline=soon(60))
    return reading(result)
