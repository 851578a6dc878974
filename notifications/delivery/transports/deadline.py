"""Sockets that keep one absolute deadline over everything that is done with them.

A socket's own time-out bounds one read or write, so that a peer that sends a byte a second is
never late. These look at the deadline before each read and write. Those of a strand never block:
where they would, other strands go on.
"""

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from notifications.delivery.strands import (
    READABLE,
    TIME_IS_UP,
    WRITABLE,
    Strand,
    Watch,
    current_strand,
    in_a_thread,
)
from notifications.models.lease import boottime

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

T = TypeVar("T")

CONNECT_SECONDS = 10.0
"""For one address of a host; the next one is tried after it."""

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


def seconds_left(deadline: float) -> float:
    """Seconds until `deadline`, in `boottime()`'s clock. Raises TimeoutError when it is past."""
    left = deadline - boottime()
    if left <= 0:
        raise TimeoutError(TIME_IS_UP)
    return left


SLACK_SECONDS = 0.25
"""A time-out that is later than the deadline by less is left as it is: setting one is a call of
the system, and most reads and writes take far less than that."""

_NEVER = float("inf")


class DeadlineSocket(socket.socket):
    """A TCP socket under a deadline, which is set anew for each hand-off."""

    deadline: float = _NEVER
    """In seconds of `boottime()`; without one the socket's own time-out is left alone."""
    _watch: Watch | None = None
    _poll: "select.poll | None" = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read, within the deadline."""
        return self._in_time(READABLE, super().recv, buflen, flags)

    def recv_into(
        self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0
    ) -> int:
        """Read, within the deadline."""
        # TLS sockets take a given 0 for "nothing", plain ones for "the whole buffer"
        count = nbytes or memoryview(buffer).nbytes
        return self._in_time(READABLE, super().recv_into, buffer, count, flags)

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Write some, within the deadline."""
        return self._in_time(WRITABLE, super().send, data, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Write all, within the deadline."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._in_time(WRITABLE, super().send, rest, flags) :]

    def reach(self, address: Any) -> None:
        """Connect, within the deadline. Raises OSError."""
        strand = current_strand()
        if strand is None:
            self._take_time()
            self.connect(address)
            return
        self.setblocking(False)
        problem = self.connect_ex(address)
        if problem == errno.EINPROGRESS:
            self._wait(strand, WRITABLE)
            problem = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise OSError(problem, os.strerror(problem))

    def is_readable(self) -> bool:
        """Whether there may be something to read: what came, or the connection's end."""
        if self._holds_something():
            return True
        strand = current_strand()
        if strand is not None:
            return strand.look(self._watched())
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self, select.POLLIN)
        return bool(self._poll.poll(0))

    def read_at_once(self, buflen: int) -> bytes:
        """Read what is there. Raises BlockingIOError or SSLWantReadError where nothing is."""
        if self.gettimeout() != 0:
            self.setblocking(False)
        return super().recv(buflen)

    def _take_time(self) -> None:
        if self.deadline == _NEVER:
            return
        left, now = seconds_left(self.deadline), self.gettimeout()
        if now is None or not 0 <= now - left < SLACK_SECONDS:
            self.settimeout(left)

    def _in_time(self, events: int, call: Callable[..., T], *args: Any) -> T:
        """Read or write by `call`, within the deadline; in a strand, wait until it can be."""
        strand = current_strand()
        if strand is None:
            self._take_time()
            return call(*args)
        if self.deadline <= boottime():
            raise TimeoutError(TIME_IS_UP)
        # nothing has come yet when somebody wants to read: that would be tried in vain
        if events == READABLE and not self._holds_something():
            self._wait(strand, events)
        while True:
            try:
                return call(*args)
            except BlockingIOError:
                self._wait(strand, events)
            # TLS may have to read before it can write, and the other way round
            except ssl.SSLWantReadError:
                self._wait(strand, READABLE)
            except ssl.SSLWantWriteError:
                self._wait(strand, WRITABLE)

    def _holds_something(self) -> bool:
        """Whether something can be read of which the kernel does not tell any more."""
        return False

    def _wait(self, strand: Strand, events: int) -> None:
        strand.wait_for(self._watched(), events, self.deadline)

    def _watched(self) -> Watch:
        if self._watch is None:
            self._watch = Watch(self.fileno())
        return self._watch


class DeadlineTlsSocket(DeadlineSocket, ssl.SSLSocket):
    """The same over TLS."""

    def do_handshake(self, block: bool = False) -> None:
        """Agree on keys, within the deadline."""
        # the client begins
        self._in_time(WRITABLE, super().do_handshake, block)

    def _holds_something(self) -> bool:
        # it may have come in one record with what was read before
        return self.pending() > 0


def dial(host: str, port: int, *, deadline: float) -> DeadlineSocket:
    """Connect to the first address of `host` that answers, and put `deadline` on the socket.

    Raises OSError when none does, and TimeoutError, which is one, when the time is used up.
    """
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in _resolve(host, port, deadline=deadline):
        peer = DeadlineSocket(family, kind, protocol)
        try:
            peer.deadline = min(boottime() + CONNECT_SECONDS, deadline)
            peer.reach(address)
            # commands and short bodies must not wait for the acknowledgement of earlier ones
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            failure = error
            peer.close()
        else:
            peer.deadline = deadline
            if current_strand() is None:
                # a handshake by others, who know no deadline, keeps to the time-out
                peer.settimeout(seconds_left(deadline))
            return peer
    raise failure


def _resolve(host: str, port: int, *, deadline: float) -> list[AddressInfo]:
    """The addresses of `host`. The resolver knows no deadline; its thread may be left behind."""

    def ask() -> list[AddressInfo]:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    left = seconds_left(deadline)
    try:
        return in_a_thread(ask, seconds=left)
    except TimeoutError:
        raise TimeoutError(f"{host} was not resolved in time") from None
    except UnicodeError:
        raise OSError(f"{host!r} is no host name") from None


def secured(plain: socket.socket, *, host: str, until: float) -> DeadlineTlsSocket:
    """TLS over `plain`, with a peer that proves to be `host`, agreed on by then.

    Trusts the system's authorities, and those of the file that `SSL_CERT_FILE` names. Raises
    OSError, and then both are closed.
    """
    sock = plain
    try:
        context = tls_context(os.environ.get("SSL_CERT_FILE"))
        secure = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        sock = secure = cast("DeadlineTlsSocket", secure)
        secure.deadline = until
        secure.do_handshake()
    except BaseException:
        sock.close()
        raise
    return secure


@lru_cache
def tls_context(_trusted: str | None) -> ssl.SSLContext:
    """A context that verifies the peer's certificate and makes sockets that keep deadlines.

    Made once: reading some hundred certificates takes longer than a handshake. OpenSSL reads the
    variable `SSL_CERT_FILE`, whose value is given, for itself.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = DeadlineTlsSocket
    return context
