"""SMTP: each phase, its time, the connection that is kept, and bodies that try to break out."""

import base64
import binascii
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.delivery.classify import Phase
from notifications.delivery.handoff import HandoffRequest, HandoffResult, Transport
from notifications.delivery.mime import build_mime
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from notifications.delivery.transports import patience, smtp
from notifications.delivery.transports.patience import Patience
from notifications.models.lease import HANDOFF_SECONDS, boottime
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
from tests.peers import Action, SmtpPeer, drip, drop, make_certificate, reply, stall


def transport_to(peer: SmtpPeer) -> Transport:
    """A transport to the peer."""
    return open_transport(parse_providers(f"peer=smtp://127.0.0.1:{peer.port}")["peer"])


def hand_over(
    peer: SmtpPeer,
    request: HandoffRequest | None = None,
    *,
    witness: Witness | None = None,
    seconds: float = 60.0,
) -> HandoffResult:
    """Hand a message over; returns how it ended."""
    with closing(transport_to(peer)) as transport:
        return transport.send(
            request or request_to("bob@example.org"),
            commit=witness or Witness(),
            deadline=soon(seconds),
        )


LONG = ("x" * 70 + "\n") * 60_000
"""A text that no socket's buffers hold: what is said meanwhile is heard before the dot."""


# -- phases ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "action", "expected"),
    [
        ("greeting", reply("421 4.3.2 busy"), Reading.UNREACHABLE),
        ("greeting", reply("hello"), Reading.UNREACHABLE),
        ("ehlo", drop(), Reading.UNREACHABLE),
        ("mail", reply("451 4.3.0 later"), Reading.TEMPORARY),
        ("mail", reply("550 5.7.1 not your domain"), Reading.REFUSED_HERE),
        ("mail", reply("530 5.7.0 authentication required"), Reading.MISCONFIGURED),
        ("mail", drop(), Reading.UNREACHABLE),
        ("rcpt", reply("550 5.1.1 nobody"), Reading.RECIPIENT_REFUSED),
        ("rcpt", reply("450 4.2.0 greylisted"), Reading.TEMPORARY),
        ("rcpt", reply("554 5.7.1 relay access denied"), Reading.REFUSED_HERE),
        ("rcpt", drop(), Reading.UNREACHABLE),
        ("data", reply("451 4.3.0 later"), Reading.TEMPORARY),
        ("data", reply("554 5.6.0 no"), Reading.MESSAGE_REFUSED),
        ("data", drop(), Reading.UNREACHABLE),
        ("body", reply("552 5.3.4 too big"), Reading.MESSAGE_REFUSED),
        ("body", drop(), Reading.UNREACHABLE),
    ],
)
def test_before_the_dot_nothing_was_taken_and_nothing_is_in_doubt(
    moment: str, action: Action, expected: Reading
) -> None:
    request = with_text(request_to("bob@example.org"), LONG if moment == "body" else "Hello\n")
    witness = Witness()
    with SmtpPeer(on={moment: action}) as peer:
        assert reading(hand_over(peer, request, witness=witness)) is expected
        assert peer.taken == []
    assert witness.calls == 0


@pytest.mark.parametrize("moment", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_a_server_that_falls_silent_is_given_up_after_the_phases_time(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REPLY_SECONDS", 0.5)
    monkeypatch.setattr(patience, "_SECONDS", {})
    witness = Witness()
    begun = time.monotonic()
    with SmtpPeer(on={moment: stall()}) as peer:
        assert reading(hand_over(peer, witness=witness, seconds=120)) is Reading.UNREACHABLE
    assert witness.calls == 0
    assert time.monotonic() - begun < 60


def test_each_phase_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REPLY_SECONDS", 2.0)
    slow = drip("250 ok", every=0.15)
    with SmtpPeer(on={"mail": slow, "rcpt": slow}) as peer:
        assert reading(hand_over(peer)) is Reading.SENT


def test_what_is_slow_before_the_dot_leaves_the_dot_its_time() -> None:
    # the reply to DATA is whole before the deadline, but not before the dot's share of it
    slow = drip("354 " + "x" * 40, every=0.1)
    witness = Witness()
    with SmtpPeer(on={"data": slow}) as peer:
        assert reading(hand_over(peer, witness=witness, seconds=6)) is Reading.UNREACHABLE
        assert peer.taken == []
    assert witness.calls == 0


def test_the_numbers_are_those_that_the_module_tells_of() -> None:
    now = boottime()
    limits = Patience.until(now + HANDOFF_SECONDS)
    assert limits.deadline - now == pytest.approx(40, abs=1)
    assert limits.commit_deadline - now == pytest.approx(25, abs=1)
    assert limits.limit(Phase.GREETING) - boottime() == pytest.approx(15, abs=1)
    assert limits.limit(Phase.RCPT) - boottime() == pytest.approx(10, abs=1)


@pytest.mark.parametrize("offers_it", [False, True])
def test_without_the_encryption_that_we_require_nothing_is_said_in_clear(
    offers_it: bool, tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path) if offers_it else None
    refusal = reply("454 4.7.0 TLS not available")
    with SmtpPeer(
        certificate=certificate, credentials=("ann", "secret"), on={"starttls": refusal}
    ) as peer:
        url = f"peer=smtp://ann:secret@127.0.0.1:{peer.port}?starttls=1"
        with closing(open_transport(parse_providers(url)["peer"])) as transport:
            assert send(transport) is Reading.UNREACHABLE
        said = {line.partition(" ")[0].lower() for line in peer.commands}
    assert said <= {"ehlo", "starttls", "quit"}


def test_some_are_taken_some_refused_and_some_wait_in_one_transaction() -> None:
    request = request_to(*(f"{name}@example.org" for name in ("a", "gone", "full", "b")))
    refuse = {"gone@example.org": "550 5.1.1 nobody", "full@example.org": "452 4.2.2 full"}
    with SmtpPeer(refuse=refuse) as peer:
        result = hand_over(peer, request)
    assert readings(request, result) == [
        Reading.SENT,
        Reading.RECIPIENT_REFUSED,
        Reading.TEMPORARY,
        Reading.SENT,
    ]
    assert [envelope.recipients for envelope in peer.taken] == [("a@example.org", "b@example.org")]


# -- the connection that is kept -------------------------------------------------------------


def send(transport: Transport) -> Reading:
    """Hand a message over by `transport`."""
    request = request_to("bob@example.org")
    return reading(transport.send(request, commit=Witness(), deadline=soon(60)))


@pytest.mark.parametrize(
    "action",
    [drop(), reply("421 4.4.2 idle for too long"), reply("450 4.7.1 too many in this session")],
)
def test_a_kept_connection_that_the_server_gives_up_is_replaced(action: Action) -> None:
    with (
        SmtpPeer(on={"mail": [None, None, action]}) as peer,
        closing(transport_to(peer)) as transport,
    ):
        assert [send(transport) for _ in range(3)] == [Reading.SENT] * 3
        assert (len(peer.taken), peer.connections) == (3, 2)


def test_a_server_that_takes_nothing_for_now_is_not_asked_over_more_and_more_connections() -> None:
    later = reply("450 4.7.1 later")
    with SmtpPeer(on={"mail": [None, *[later] * 4]}) as peer, closing(transport_to(peer)) as to:
        assert [send(to) for _ in range(4)] == [Reading.SENT, *[Reading.TEMPORARY] * 3]
        assert peer.connections == 2


@pytest.mark.parametrize(
    ("limit", "value", "connections"),
    [("MESSAGES_PER_CONNECTION", 2, 2), ("CONNECTION_SECONDS", 0.0, 3)],
)
def test_a_connection_is_left_at_its_limit(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: float, connections: int
) -> None:
    monkeypatch.setattr(smtp, limit, value)
    with SmtpPeer() as peer, closing(transport_to(peer)) as transport:
        assert [send(transport) for _ in range(3)] == [Reading.SENT] * 3
        assert peer.connections == connections
        said = [command.upper() for command in peer.commands]
        assert said.count("QUIT") == connections - 1


def test_a_connection_that_was_idle_is_asked_whether_it_is_still_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtp, "CHECK_AFTER_SECONDS", 0.0)
    with SmtpPeer(on={"rset": drop()}) as peer, closing(transport_to(peer)) as transport:
        assert [send(transport) for _ in range(2)] == [Reading.SENT] * 2
        assert (len(peer.taken), peer.connections) == (2, 2)


# -- what arrives ----------------------------------------------------------------------------

_PIECES = [
    *(
        ".",
        "..",
        "\r\n",
        "\n",
        "\r",
        "\r\n.\r\n",
        "\n.\n",
        "\r.\r",
        "\n.\r\n",
        "\r\n.\n",
        "\r\n.\r",
    ),
    *("\r\r\n", " ", "\t", "=", "a", "x" * 80, "é", "🎉", "\0", "\x1a", "\u2028"),
    *("MAIL FROM:<smuggled@example.org>", "RCPT TO:<smuggled@example.org>", "DATA", "QUIT", "RSET"),
]


@pytest.fixture(scope="module")
def taker() -> Iterator[SmtpPeer]:
    """A peer that takes everything."""
    with SmtpPeer() as peer:
        yield peer


@pytest.fixture(scope="module")
def kept(taker: SmtpPeer) -> Iterator[Transport]:
    """One transport to it, so that what one message left behind would reach the next."""
    with closing(transport_to(taker)) as transport:
        yield transport


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_any_body_arrives_byte_for_byte_and_as_one_message(
    text: str, taker: SmtpPeer, kept: Transport
) -> None:
    request = with_text(request_to("bob@example.org"), text)
    before = len(taker.taken)
    result = kept.send(request, commit=Witness(), deadline=soon(60))
    assert reading(result) is Reading.SENT
    (envelope,) = taker.taken[before:]
    assert (envelope.sender, envelope.recipients) == ("ann@example.org", ("bob@example.org",))
    mark = f"X-Limbo-Handoff: {request.handoff_id}\r\n".encode()
    assert envelope.content == mark + build_mime(request.outgoing)
    # a lone CR or LF is what laxer servers than this one take for the end of a line
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", envelope.content)
    assert decoded(envelope.content) == canonical(text)
    assert not any(
        "@example.org" in line for line in taker.commands if "x@" in line or "y@" in line
    )


@given(seconds=st.floats(0, 4_000_000_000))
def test_the_date_is_written_as_the_standard_library_would(seconds: float) -> None:
    content = build_mime(replace(outgoing(), accepted_at=seconds))
    date = format_datetime(datetime.fromtimestamp(int(seconds), UTC))
    assert f"\r\nDate: {date}\r\n".encode() in content


def decoded(content: bytes) -> bytes:
    """The body of a message, out of its transfer encoding."""
    head, _, body = content.partition(b"\r\n\r\n")
    if b"Content-Transfer-Encoding: base64" in head:
        return base64.b64decode(body)
    return binascii.a2b_qp(body) if b": quoted-printable" in head else body


def canonical(text: str) -> bytes:
    """A text as mail writes it: every line, the last one too, ends with CRLF."""
    lines = re.split("\r\n|\n", text)
    if lines[-1] == "":
        lines.pop()
    return "".join(line + "\r\n" for line in lines).encode()


def test_a_text_that_no_buffer_holds_arrives_whole() -> None:
    request = with_text(request_to("bob@example.org"), LONG)
    with SmtpPeer() as peer:
        assert reading(hand_over(peer, request)) is Reading.SENT
    (envelope,) = peer.taken
    assert decoded(envelope.content) == canonical(LONG)


@pytest.mark.parametrize("before", ["", "short\n" * 200, "x" * 901 + "\n"])
@pytest.mark.parametrize("behind", ["", "\n", "\nshort" * 200])
@pytest.mark.parametrize(("length", "stays"), [(901, True), (902, False)])
def test_a_line_is_left_as_it_is_up_to_a_length(
    before: str, behind: str, length: int, stays: bool
) -> None:
    content = build_mime(replace(outgoing(), text=f"{before}{'x' * length}{behind}"))
    assert (b"Content-Transfer-Encoding: 7bit" in content) is stays


@pytest.mark.parametrize("text", ["a \nb", "a\nb\t", " \na", "\t", "a \r\nb"])
def test_a_text_with_space_at_a_line_s_end_is_encoded(text: str) -> None:
    content = build_mime(replace(outgoing(), text=text))
    assert b"Content-Transfer-Encoding: 7bit" not in content
    assert decoded(content) == canonical(text)


def test_bcc_is_in_the_envelope_and_never_in_the_headers() -> None:
    message = outgoing(
        recipient("to@example.org", name="Zoë, the reader"),
        recipient("cc@example.org", kind="cc"),
        recipient("hidden@example.org", kind="bcc"),
        subject="Grüße an alle " * 15 + "!",
    )
    request = request_for(message)
    with SmtpPeer() as peer:
        hand_over(peer, request)
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
