"""The stand-in providers behave like servers of other makes."""

import smtplib
from pathlib import Path

import pytest
import requests

from tests.peers import Answer, HttpPeer, SmtpPeer, drop, mailgun, make_certificate, reply


def _send(client: smtplib.SMTP, *recipients: str) -> dict[str, tuple[int, bytes]]:
    return client.sendmail("a@example.org", recipients, b"Subject: hi\r\n\r\n.dotted\r\n")


def test_smtp_peer_keeps_what_a_client_of_another_make_sends() -> None:
    with SmtpPeer() as peer, smtplib.SMTP("127.0.0.1", peer.port, timeout=5) as client:
        _send(client, "b@example.org", "c@example.org")
    (envelope,) = peer.taken
    assert (envelope.sender, envelope.recipients) == (
        "a@example.org",
        ("b@example.org", "c@example.org"),
    )
    assert envelope.content == b"Subject: hi\r\n\r\n.dotted\r\n"
    assert envelope.message["Subject"] == "hi"


def test_smtp_peer_refuses_one_recipient_and_takes_the_other() -> None:
    refuse = {"b@example.org": "550 5.1.1 no such user"}
    with SmtpPeer(refuse=refuse) as peer, smtplib.SMTP("127.0.0.1", peer.port, timeout=5) as client:
        refused = _send(client, "b@example.org", "c@example.org")
    assert refused == {"b@example.org": (550, b"5.1.1 no such user")}
    assert peer.taken[0].recipients == ("c@example.org",)


def test_smtp_peer_follows_its_script_turn_by_turn() -> None:
    script = [reply("451 later"), None]
    with (
        SmtpPeer(on={"dot": script}) as peer,
        smtplib.SMTP("127.0.0.1", peer.port, timeout=5) as client,
    ):
        with pytest.raises(smtplib.SMTPDataError):
            _send(client, "b@example.org")
        assert peer.taken == []
        _send(client, "b@example.org")
    assert len(peer.taken) == 1


def test_smtp_peer_that_drops_after_the_dot_has_taken_the_message() -> None:
    with SmtpPeer(on={"dot": drop()}) as peer:
        client = smtplib.SMTP("127.0.0.1", peer.port, timeout=5)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            _send(client, "b@example.org")
    assert len(peer.taken) == 1


def test_smtp_peer_speaks_tls_and_checks_credentials(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with (
        SmtpPeer(certificate=certificate, credentials=("ann", "secret")) as peer,
        smtplib.SMTP("127.0.0.1", peer.port, timeout=5) as client,
    ):
        client.starttls()
        client.login("ann", "secret")
        _send(client, "b@example.org")
    assert len(peer.taken) == 1


def test_http_peer_answers_as_scripted_and_then_well() -> None:
    with HttpPeer([Answer(429, headers={"Retry-After": "5"})]) as peer:
        first = requests.post(peer.url, json={"To": "b@example.org"}, timeout=5)
        second = requests.post(peer.url, json={"To": "b@example.org"}, timeout=5)
    assert (first.status_code, first.headers["Retry-After"]) == (429, "5")
    assert second.json()["ErrorCode"] == 0
    assert len(peer.requests) == 2
    assert len(peer.taken) == 1


def test_http_peer_that_drops_after_the_request_has_taken_it() -> None:
    with (
        HttpPeer(speak=mailgun, on_request=drop()) as peer,
        pytest.raises(requests.ConnectionError),
    ):
        requests.post(peer.url, json={}, timeout=5)
    assert len(peer.taken) == 1


def test_http_peer_cuts_its_answer_short() -> None:
    with (
        HttpPeer(Answer(200, missing=10)) as peer,
        pytest.raises(requests.exceptions.ChunkedEncodingError),
    ):
        requests.post(peer.url, json={}, timeout=5)
