"""How a hand-off ends, at each phase, through SMTP and through HTTP; against real servers."""

import socket
import time
from contextlib import closing

import pytest

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Transport
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from notifications.models.lease import LeaseLostError
from tests.delivery.handing_over import (
    Witness,
    outgoing,
    reading,
    readings,
    recipient,
    request_for,
    request_to,
    soon,
    with_text,
)
from tests.peers.actions import Action, drip, drop, reply, stall
from tests.peers.http_peer import Answer, HttpPeer, mailgun
from tests.peers.smtp_peer import SmtpPeer


def transport_to(url: str) -> Transport:
    """A transport to the provider at `url`."""
    return open_transport(parse_providers(f"peer={url}")["peer"])


def smtp(peer: SmtpPeer) -> str:
    """A peer's URL."""
    return f"smtp://127.0.0.1:{peer.port}"


def postmark(peer: HttpPeer) -> str:
    """A peer's URL, as Postmark's API."""
    return f"anymail-postmark://KEY@/?api_url={peer.url}"


def hand_over(
    url: str,
    request: HandoffRequest | None = None,
    *,
    witness: Witness | None = None,
    seconds: float = 10.0,
) -> HandoffResult:
    """Hand a message over; returns how it ended."""
    with closing(transport_to(url)) as transport:
        return transport.send(
            request or request_to("bob@example.org"),
            commit=witness or Witness(),
            deadline=soon(seconds),
        )


@pytest.mark.parametrize(
    ("moment", "action", "expected"),
    [
        ("greeting", reply("554 5.3.2 closed"), Reading.UNREACHABLE),
        ("greeting", drop(), Reading.UNREACHABLE),
        ("ehlo", drop(), Reading.UNREACHABLE),
        ("mail", reply("451 4.3.0 later"), Reading.TEMPORARY),
        ("mail", reply("550 5.7.1 not your domain"), Reading.REFUSED_HERE),
        ("rcpt", reply("550 5.1.1 nobody"), Reading.RECIPIENT_REFUSED),
        ("rcpt", reply("450 4.2.0 greylisted"), Reading.TEMPORARY),
        ("rcpt", reply("554 5.7.1 relay access denied"), Reading.REFUSED_HERE),
        ("data", reply("554 5.6.0 no"), Reading.MESSAGE_REFUSED),
        ("data", drop(), Reading.UNREACHABLE),
        ("dot", reply("452 4.3.1 disk full"), Reading.TEMPORARY),
        ("dot", reply("554 5.7.1 spam"), Reading.MESSAGE_REFUSED),
        ("dot", drop(), Reading.AMBIGUOUS),
    ],
)
def test_an_smtp_server_is_read_by_the_phase_it_fails_in(
    moment: str, action: Action, expected: Reading
) -> None:
    with SmtpPeer(on={moment: action}) as peer:
        assert reading(hand_over(smtp(peer))) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(401), Reading.MISCONFIGURED),
        (Answer(402), Reading.EXHAUSTED),
        (Answer(429), Reading.EXHAUSTED),
        (Answer(403), Reading.REFUSED_HERE),
        (Answer(404), Reading.REFUSED_HERE),
        (Answer(400), Reading.MESSAGE_REFUSED),
        (Answer(413), Reading.MESSAGE_REFUSED),
        (Answer(500), Reading.AMBIGUOUS),
        (Answer(503), Reading.AMBIGUOUS),
        (Answer(200, "garbage"), Reading.AMBIGUOUS),
        (Answer(200, ""), Reading.AMBIGUOUS),
        (Answer(200, '{"Message', missing=100), Reading.AMBIGUOUS),
    ],
)
def test_an_http_provider_is_read_by_its_status_and_body(answer: Answer, expected: Reading) -> None:
    with HttpPeer(answer) as peer:
        assert reading(hand_over(postmark(peer))) is expected


def test_an_http_provider_that_takes_it_has_it_queued_and_gives_its_id() -> None:
    with HttpPeer() as peer:
        result = hand_over(postmark(peer))
    assert reading(result) is Reading.QUEUED
    assert result.provider_message_id == "0a129aee-e1cd-480d-b08d-4f48548ff48d"
    assert len(peer.taken) == 1


def test_mailgun_takes_it_too() -> None:
    with HttpPeer(speak=mailgun) as peer:
        url = f"anymail-mailgun://KEY@/?sender_domain=mg.example.com&api_url={peer.url}"
        assert reading(hand_over(url)) is Reading.QUEUED


@pytest.mark.parametrize("kind", ["smtp", "http"])
def test_a_closed_port_is_unreachable_and_nothing_was_committed(kind: str) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    urls = {
        "smtp": f"smtp://127.0.0.1:{port}",
        "http": f"anymail-postmark://KEY@/?api_url=http://127.0.0.1:{port}/",
    }
    witness = Witness()
    assert reading(hand_over(urls[kind], witness=witness)) is Reading.UNREACHABLE
    assert witness.calls == 0


def test_whoever_refuses_the_commit_keeps_the_message_from_being_taken() -> None:
    lost = Witness(refusal=LeaseLostError())
    with SmtpPeer() as peer, pytest.raises(LeaseLostError):
        hand_over(smtp(peer), witness=lost)
    assert peer.taken == []
    with HttpPeer() as http, pytest.raises(LeaseLostError):
        hand_over(postmark(http), witness=lost)
    assert http.requests == []


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("greeting", Reading.UNREACHABLE), ("dot", Reading.AMBIGUOUS)],
)
def test_the_deadline_bounds_a_server_that_never_answers(moment: str, expected: Reading) -> None:
    with SmtpPeer(on={moment: stall()}) as peer:
        begun = time.monotonic()
        assert reading(hand_over(smtp(peer), seconds=1.0)) is expected
        assert time.monotonic() - begun < 5


def test_the_deadline_bounds_a_server_that_drips() -> None:
    with SmtpPeer(on={"greeting": drip("220 " + "x" * 500, every=0.2)}) as peer:
        begun = time.monotonic()
        assert reading(hand_over(smtp(peer), seconds=1.0)) is Reading.UNREACHABLE
        assert time.monotonic() - begun < 5
    with HttpPeer(Answer(200, "x" * 500, drip_every=0.2)) as http:
        begun = time.monotonic()
        assert reading(hand_over(postmark(http), seconds=1.0)) is Reading.AMBIGUOUS
        assert time.monotonic() - begun < 5


def test_each_recipient_has_its_own_verdict_and_one_data_serves_the_rest() -> None:
    request = request_to("a@example.org", "gone@example.org", "b@example.org")
    with SmtpPeer(refuse={"gone@example.org": "550 5.1.1 no such user"}) as peer:
        result = hand_over(smtp(peer), request)
    assert readings(request, result) == [
        Reading.SENT,
        Reading.RECIPIENT_REFUSED,
        Reading.SENT,
    ]
    assert [envelope.recipients for envelope in peer.taken] == [("a@example.org", "b@example.org")]


def test_a_connection_is_kept_and_a_stale_one_is_replaced() -> None:
    with SmtpPeer(on={"mail": [None, None, drop()]}) as peer:
        with closing(transport_to(smtp(peer))) as transport:
            for _ in range(3):
                result = transport.send(
                    request_to("bob@example.org"), commit=Witness(), deadline=soon()
                )
                assert reading(result) is Reading.SENT
        greetings = [line for line in peer.commands if line.lower().startswith("ehlo")]
    assert (len(peer.taken), len(greetings)) == (3, 2)


def test_credentials_that_are_refused_are_a_misconfiguration_and_stay_secret() -> None:
    with SmtpPeer(credentials=("ann", "right")) as peer:
        result = hand_over(f"smtp://ann:wrong-secret@127.0.0.1:{peer.port}")
    assert reading(result) is Reading.MISCONFIGURED
    assert "wrong-secret" not in str(result)


@pytest.mark.parametrize(
    "text",
    [
        "a\r\n.\r\nMAIL FROM:<x@example.org>\r\n",
        "a\n.\nb\n",
        "a\r.\rb",
        "..\n.\n",
        "Grüße 🎉\n",
        "x" * 5000 + "\n",
    ],
)
def test_a_body_arrives_as_it_was_written_and_as_one_message(text: str) -> None:
    request = with_text(request_to("bob@example.org"), text)
    with SmtpPeer() as peer:
        assert reading(hand_over(smtp(peer), request)) is Reading.SENT
    (envelope,) = peer.taken
    body = envelope.message.get_payload(decode=True)
    assert isinstance(body, bytes)
    got = body.decode("utf-8").replace("\r\n", "\n")
    assert got.rstrip("\n") == text.replace("\r\n", "\n").rstrip("\n")


def test_bcc_is_in_the_envelope_and_never_in_the_headers() -> None:
    message = outgoing(
        recipient("to@example.org", name="Zoë, the reader"),
        recipient("cc@example.org", kind="cc"),
        recipient("hidden@example.org", kind="bcc"),
        subject="Grüße an alle " * 15 + "!",
    )
    request = request_for(message)
    with SmtpPeer() as peer:
        hand_over(smtp(peer), request)
    (envelope,) = peer.taken
    assert set(envelope.recipients) == {"to@example.org", "cc@example.org", "hidden@example.org"}
    assert b"hidden@example.org" not in envelope.content
    assert envelope.message["To"] == '"Zoë, the reader" <to@example.org>'
    assert envelope.message["Cc"] == "cc@example.org"
    assert envelope.message["Subject"] == message.subject
    assert envelope.message["Message-ID"] == message.header_message_id
    assert envelope.message["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"
    assert envelope.handoff_id == str(request.handoff_id)
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
