"""What a peer can do instead of answering well."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn


class GoneError(Exception):
    """The conversation is over: the peer or its client closed the connection."""


@dataclass(eq=False, slots=True)
class Line:
    """A peer's end of one connection; the socket changes when TLS begins."""

    sock: socket.socket
    stopped: threading.Event

    def send(self, data: bytes) -> None:
        """Write, or find the client gone."""
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise GoneError from error

    def drain(self) -> NoReturn:
        """Read and forget, until the client is gone."""
        with suppress(OSError):
            while self.sock.recv(65536):
                pass
        raise GoneError


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do on a connection; what it does raises GoneError when it ends it."""

    do: Callable[[Line], None]
    text: str = ""
    """What it says, in whatever way."""

    @property
    def refuses(self) -> bool:
        """Whether it is an SMTP refusal."""
        return self.text[:1] in ("4", "5")


def reply(text: str) -> Action:
    """Answer `text`; line ends are added."""
    data = text.replace("\n", "\r\n").encode() + b"\r\n"
    return Action(lambda line: line.send(data), text)


def reply_after(text: str, *, seconds: float) -> Action:
    """Answer `text` so much later."""

    def act(line: Line) -> None:
        if line.stopped.wait(seconds):
            raise GoneError
        line.send(text.encode() + b"\r\n")

    return Action(act, text)


def reply_then_drop(text: str) -> Action:
    """Answer `text` and close, so that the client finds both at once."""

    def act(line: Line) -> None:
        # corked, the answer leaves together with the FIN
        line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        line.send(text.encode() + b"\r\n")
        raise GoneError

    return Action(act, text)


def drop() -> Action:
    """Close the connection without a word."""

    def act(_: Line) -> None:
        raise GoneError

    return Action(act)


def reset() -> Action:
    """Tear the connection down, so that the client gets a reset."""

    def act(line: Line) -> None:
        line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise GoneError

    return Action(act)


def stall() -> Action:
    """Say nothing, until the client gives up."""
    return Action(Line.drain)


def pause(seconds: float) -> Action:
    """Wait, and go on well."""

    def act(line: Line) -> None:
        if line.stopped.wait(seconds):
            raise GoneError

    return Action(act)


def until(event: threading.Event) -> Action:
    """Wait for `event` while the body comes in, and go on well."""

    def act(line: Line) -> None:
        while not event.wait(0.02):
            if line.stopped.is_set():
                raise GoneError

    return Action(act)


def half_close() -> Action:
    """Close our direction only, and go on reading until the client gives up."""

    def act(line: Line) -> None:
        line.sock.shutdown(socket.SHUT_WR)
        line.drain()

    return Action(act)


def drip(text: str, *, every: float) -> Action:
    """Answer `text` a byte at a time, one `every` so many seconds."""

    def act(line: Line) -> None:
        for byte in text.encode() + b"\r\n":
            line.send(bytes([byte]))
            if line.stopped.wait(every):
                raise GoneError

    return Action(act, text)
