"""PIPELINING (RFC 2920): commands go out together, and each reply is still read as its own."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress

import pytest

from notifications.delivery.handoff import HandoffRequest, HandoffResult, Transport
from notifications.delivery.provider_config import parse_providers
from notifications.delivery.providers import open_transport
from notifications.delivery.reading import Reading
from tests.delivery.handing_over import Witness, reading, readings, request_to, soon
from tests.peers import SmtpPeer, drop, reply
from tests.peers.smtp_peer import Script

OFFERED = ("SIZE 20000000", "8BITMIME", "SMTPUTF8", "PIPELINING")
NOBODY = "554 5.5.1 no valid recipients"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Where a test keeps its peer and its transport open."""
    with ExitStack() as stack:
        yield stack


def a_peer(
    stack: ExitStack,
    *,
    on: Mapping[str, Script] | None = None,
    refuse: Mapping[str, str] | None = None,
) -> tuple[SmtpPeer, Transport]:
    """A peer that offers pipelining, and a transport to it."""
    peer = stack.enter_context(SmtpPeer(on=on, refuse=refuse, extensions=OFFERED))
    transport = open_transport(parse_providers(f"peer=smtp://127.0.0.1:{peer.port}")["peer"])
    stack.callback(transport.close)
    return peer, transport


def send(transport: Transport, request: HandoffRequest | None = None) -> HandoffResult:
    """Hand a message over."""
    request = request or request_to("bob@example.org")
    return transport.send(request, commit=Witness(), deadline=soon(60))


def test_a_transaction_is_opened_in_one_go(stack: ExitStack) -> None:
    """A server that answers nothing finds RCPT and DATA behind MAIL."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    heard: list[bytes] = []

    def serve() -> None:
        with listener.accept()[0] as line:
            line.sendall(b"220 peer.example\r\n")
            line.recv(4096)
            line.sendall(b"250-peer.example\r\n250 PIPELINING\r\n")
            heard.append(line.recv(4096))

    server = threading.Thread(target=serve)
    server.start()
    url = f"peer=smtp://127.0.0.1:{listener.getsockname()[1]}"
    transport = open_transport(parse_providers(url)["peer"])
    assert reading(send(transport)) is Reading.UNREACHABLE
    server.join()
    assert heard == [b"MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"]


def test_each_recipient_has_its_own_answer(stack: ExitStack) -> None:
    refuse = {"gone@example.org": "550 5.1.1 nobody", "full@example.org": "452 4.2.2 full"}
    peer, transport = a_peer(stack, refuse=refuse)
    request = request_to(*(f"{name}@example.org" for name in ("a", "gone", "full", "b")))
    assert readings(request, send(transport, request)) == [
        Reading.SENT,
        Reading.RECIPIENT_REFUSED,
        Reading.TEMPORARY,
        Reading.SENT,
    ]
    assert [envelope.recipients for envelope in peer.taken] == [("a@example.org", "b@example.org")]


def test_more_recipients_than_are_written_at_once_are_all_named(stack: ExitStack) -> None:
    peer, transport = a_peer(stack)
    names = [f"reader{number}@example.org" for number in range(250)]
    assert reading(send(transport, request_to(*names))) is Reading.SENT
    assert peer.taken[0].recipients == tuple(names)


@pytest.mark.parametrize(
    ("on", "refuse", "expected"),
    [
        ({"mail": [reply("451 4.3.0 later")]}, {}, Reading.TEMPORARY),
        ({"mail": [reply("550 5.7.1 not your domain")]}, {}, Reading.REFUSED_HERE),
        ({"data": [reply("451 4.3.0 later")]}, {}, Reading.TEMPORARY),
        ({"data": [reply(NOBODY)]}, {"no@example.org": "550 5.1.1 no"}, Reading.RECIPIENT_REFUSED),
    ],
    ids=["mail-later", "mail-never", "data-later", "nobody"],
)
def test_after_a_refusal_the_next_message_goes_over_the_same_connection(
    stack: ExitStack, on: Mapping[str, Script], refuse: Mapping[str, str], expected: Reading
) -> None:
    # a well-behaved server refuses what was written behind a refused MAIL
    behind = {"data": [reply("503 5.5.1 MAIL first")]} if "mail" in on else {}
    peer, transport = a_peer(stack, on={**on, **behind}, refuse=refuse)
    assert reading(send(transport, request_to(*(refuse or ["bob@example.org"])))) is expected
    assert reading(send(transport)) is Reading.SENT
    assert (len(peer.taken), peer.connections) == (1, 1)


def test_a_server_that_wants_a_message_for_nobody_is_not_sent_one(stack: ExitStack) -> None:
    peer, transport = a_peer(stack, refuse={"no@example.org": "550 5.1.1 no"})
    assert reading(send(transport, request_to("no@example.org"))) is Reading.RECIPIENT_REFUSED
    assert reading(send(transport)) is Reading.SENT
    assert [envelope.recipients for envelope in peer.taken] == [("bob@example.org",)]
    assert peer.connections == 2


def test_the_next_message_is_announced_in_the_packet_that_ends_this_one(stack: ExitStack) -> None:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    heard: list[bytes] = []

    def hear(line: socket.socket, end: bytes) -> bytes:
        told = b""
        while end not in told:
            told += line.recv(65536)
        return told

    def serve() -> None:
        with listener.accept()[0] as line:
            line.sendall(b"220 peer.example\r\n")
            hear(line, b"ehlo")
            line.sendall(b"250-peer.example\r\n250 PIPELINING\r\n")
            for _ in range(2):
                hear(line, b"DATA\r\n")
                line.sendall(b"250 ok\r\n250 ok\r\n354 go on\r\n")
                heard.append(hear(line, b"\r\n.\r\n"))
                line.sendall(b"250 taken\r\n")
            line.sendall(b"250 ok\r\n250 ok\r\n354 go on\r\n")
            heard.append(hear(line, b"\r\n.\r\n"))
            line.sendall(b"250 taken\r\n")

    server = threading.Thread(target=serve)
    server.start()
    url = f"peer=smtp://127.0.0.1:{listener.getsockname()[1]}"
    transport = open_transport(parse_providers(url)["peer"])
    stack.callback(transport.close)
    requests = [request_to(f"{name}@example.org") for name in "abc"]
    followers = iter([requests[2], None])
    for request in requests:
        result = transport.send(
            request, commit=Witness(), deadline=soon(60), following=lambda: next(followers)
        )
        assert reading(result) is Reading.SENT
    server.join()
    # the first shows that the server is quick; only then is anything announced
    assert [body.partition(b"\r\n.\r\n")[2] for body in heard] == [
        b"",
        b"MAIL FROM:<ann@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n",
        b"",
    ]


def test_what_was_announced_and_is_not_sent_is_taken_back(stack: ExitStack) -> None:
    peer, transport = a_peer(stack)
    first, second, dropped, other = (request_to(f"{name}@example.org") for name in "abcd")
    send(transport, first)
    transport.send(second, commit=Witness(), deadline=soon(60), following=lambda: dropped)
    assert reading(send(transport, other)) is Reading.SENT
    recipients = [envelope.recipients for envelope in peer.taken]
    assert recipients == [(f"{name}@example.org",) for name in "abd"]
    assert peer.connections == 2


@pytest.mark.parametrize(
    ("on", "second"),
    [
        ({"dot": [None, reply("421 4.3.2 closing")]}, Reading.TEMPORARY),
        ({"mail": [None, None, reply("421 4.7.0 too many messages")]}, Reading.SENT),
        ({"mail": [None, None, reply("450 4.7.1 too many messages")]}, Reading.SENT),
        ({"mail": [None, None, drop()]}, Reading.SENT),
    ],
    ids=["421-to-the-dot", "421-to-mail", "450-to-mail", "no-reply-to-mail"],
)
def test_what_was_announced_to_a_server_that_hangs_up_goes_over_another_connection(
    stack: ExitStack, on: Mapping[str, Script], second: Reading
) -> None:
    peer, transport = a_peer(stack, on=on)
    requests = [request_to(f"{name}@example.org") for name in "abc"]
    followers = iter([requests[2], None])
    results = [
        transport.send(
            request, commit=Witness(), deadline=soon(60), following=lambda: next(followers, None)
        )
        for request in requests
    ]
    assert [reading(result) for result in results] == [Reading.SENT, second, Reading.SENT]
    assert peer.connections == 2


def test_a_reply_without_end_ends_the_conversation(stack: ExitStack) -> None:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    greeting = b"220-" + b"welcome" * 100 + b"\r\n"
    sent: list[int] = []

    def serve() -> None:
        with listener.accept()[0] as line, suppress(OSError):
            while True:
                line.sendall(greeting)
                sent.append(len(greeting))

    server = threading.Thread(target=serve)
    server.start()
    url = f"peer=smtp://127.0.0.1:{listener.getsockname()[1]}"
    transport = open_transport(parse_providers(url)["peer"])
    assert reading(send(transport)) is Reading.UNREACHABLE
    server.join(30)
    assert not server.is_alive()
    # what is read, and what the system's buffers hold
    assert sum(sent) < 20_000_000
