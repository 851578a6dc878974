"""Sockets that keep one absolute deadline over everything that is done with them.

A socket's own time-out bounds one read or write, so that a peer that sends a byte a second is
never late. These take their time-out anew from the deadline before each read and write.
"""

import socket
import ssl
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from notifications.models.lease import boottime

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

CONNECT_SECONDS = 10.0
"""For one address of a host; the next one is tried after it."""

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


def seconds_left(deadline: float) -> float:
    """Seconds until `deadline`, in `boottime()`'s clock. Raises TimeoutError when it is past."""
    left = deadline - boottime()
    if left <= 0:
        raise TimeoutError("the time for this hand-off is used up")
    return left


SLACK_SECONDS = 0.25
"""A time-out that is later than the deadline by less is left as it is: setting one is a call of
the system, and most reads and writes take far less than that."""


class DeadlineSocket(socket.socket):
    """A TCP socket under a deadline, which is set anew for each hand-off."""

    deadline: float | None = None
    """In seconds of `boottime()`; None leaves the socket's own time-out alone."""

    def _take_time(self) -> None:
        if self.deadline is None:
            return
        left, now = seconds_left(self.deadline), self.gettimeout()
        if now is None or not 0 <= now - left < SLACK_SECONDS:
            self.settimeout(left)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read, within the deadline."""
        self._take_time()
        return super().recv(buflen, flags)

    def recv_into(
        self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0
    ) -> int:
        """Read, within the deadline."""
        self._take_time()
        # TLS sockets take a given 0 for "nothing", plain ones for "the whole buffer"
        return super().recv_into(buffer, nbytes or memoryview(buffer).nbytes, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Write some, within the deadline."""
        self._take_time()
        return super().send(data, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Write all, within the deadline."""
        self._take_time()
        super().sendall(data, flags)


class DeadlineTlsSocket(DeadlineSocket, ssl.SSLSocket):
    """The same over TLS; its handshake takes the time-out that the plain socket had last."""


def dial(host: str, port: int, *, deadline: float) -> DeadlineSocket:
    """Connect to the first address of `host` that answers, and put `deadline` on the socket.

    Raises OSError when none does, and TimeoutError, which is one, when the time is used up.
    """
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in _resolve(host, port, deadline=deadline):
        peer = DeadlineSocket(family, kind, protocol)
        try:
            peer.settimeout(min(CONNECT_SECONDS, seconds_left(deadline)))
            peer.connect(address)
            # commands and short bodies must not wait for the acknowledgement of earlier ones
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            failure = error
            peer.close()
        else:
            peer.deadline = deadline
            peer.settimeout(seconds_left(deadline))
            return peer
    raise failure


def _resolve(host: str, port: int, *, deadline: float) -> list[AddressInfo]:
    # the resolver knows no deadline; a thread that it holds up is left to itself
    answers: SimpleQueue[list[AddressInfo] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)
        except UnicodeError:
            answers.put(OSError(f"{host!r} is no host name"))

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        answer = answers.get(timeout=seconds_left(deadline))
    except Empty:
        raise TimeoutError(f"{host} was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def tls_context() -> ssl.SSLContext:
    """A context that verifies the peer's certificate and makes sockets that keep deadlines.

    Trusts the system's authorities, and those of the file that `SSL_CERT_FILE` names.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = DeadlineTlsSocket
    return context
