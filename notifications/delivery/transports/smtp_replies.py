"""Reading SMTP replies, and what came in that nobody asked for.

smtplib reads through a file object, which takes as long as all the rest of a reply, and does not
tell whether anything is left in it.
"""

import smtplib
import socket
import ssl
from collections import deque

from notifications.delivery.transports.deadline import DeadlineSocket

_LONGEST_LINE = 8192
_MOST_LINES = 200
"""Of one reply. Servers that greet with their rules come to some dozens."""

_CHUNK = 65536


class Replies:
    """The server's side of one connection, as far as it came and is not read yet."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._rest = b""  # the beginning of a line

    def read(self, sock: socket.socket | None) -> tuple[int, bytes]:
        """Read a whole reply: its code, or -1 when it begins with no number, and its text.

        Raises OSError when the connection ends, or time is up, before the reply does.
        """
        lines: list[bytes] = []
        while len(lines) < _MOST_LINES:
            line = self._lines.popleft() if self._lines else self._read_line(sock)
            lines.append(line[4:].strip())
            if not line[:3].isdigit():
                return -1, b"\n".join(lines)
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
        raise smtplib.SMTPServerDisconnected("a reply without end")

    def has_heard(self, sock: socket.socket | None) -> bool:
        """Whether there is something that nobody asked for: a reply, or the connection's end.

        Only reading tells: over TLS what came may be a matter of TLS itself, such as a ticket.
        """
        if self._lines or self._rest or not isinstance(sock, DeadlineSocket):
            return True
        try:
            self._take(sock.read_at_once(_CHUNK))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def _read_line(self, sock: socket.socket | None) -> bytes:
        while not self._lines:
            if len(self._rest) > _LONGEST_LINE:
                raise smtplib.SMTPServerDisconnected("a reply without end")
            data = sock.recv(_CHUNK) if sock else b""
            if not data:
                raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
            self._take(data)
        return self._lines.popleft()

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(lines)
