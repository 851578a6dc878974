"""Reading SMTP replies, and what came in that nobody asked for.

smtplib reads through a file object, which takes as long as all the rest of a reply, and does not
tell whether anything is left in it.
"""

import smtplib
import socket
import ssl
from collections import deque
from collections.abc import Sequence

from notifications.delivery.transports.deadline import DeadlineSocket

_LONGEST_LINE = 8192
_MOST_LINES = 200
"""Of one reply. Servers that greet with their rules come to some dozens."""

_CHUNK = 4096
"""Replies are short, and room for 64 KiB takes longer to get than they take to read."""


class Replies:
    """The server's side of one connection, as far as it came and is not read yet."""

    def __init__(self) -> None:
        self._whole: deque[list[bytes]] = deque()  # replies, by their lines
        self._lines: list[bytes] = []  # of a reply that is not whole yet
        self._rest = b""  # the beginning of a line

    @property
    def are_at_hand(self) -> bool:
        """Whether the next one can be read without waiting for it."""
        return bool(self._whole)

    def read(self, sock: socket.socket | None) -> tuple[int, bytes]:
        """Read a whole reply: its code, or -1 when it begins with no number, and its text.

        Raises OSError when the connection ends, or time is up, before the reply does.
        """
        while not self._whole:
            if len(self._lines) >= _MOST_LINES or len(self._rest) > _LONGEST_LINE:
                raise smtplib.SMTPServerDisconnected("a reply without end")
            data = sock.recv(_CHUNK) if sock else b""
            if not data:
                raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
            self._take(data)
        lines = self._whole.popleft()
        number = lines[-1][:3]
        code = int(number) if number.isdigit() else -1
        return code, b"\n".join([line[4:].strip() for line in lines])

    def skip(self, numbers: Sequence[bytes]) -> bool:
        """Pass over the replies that are there, if they have these numbers and no others."""
        if [lines[-1][:3] for lines in self._whole] != numbers:
            return False
        self._whole.clear()
        return True

    def has_heard(self, sock: socket.socket | None) -> bool:
        """Whether there is something that nobody asked for: a reply, or the connection's end.

        Only reading tells: over TLS what came may be a matter of TLS itself, such as a ticket.
        """
        if self._whole or self._lines or self._rest or not isinstance(sock, DeadlineSocket):
            return True
        if not sock.is_readable():
            return False
        try:
            self._take(sock.read_at_once(_CHUNK))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.append(line)
            # a number and a hyphen say that another line follows
            if line[3:4] != b"-" or not line[:3].isdigit():
                self._whole.append(self._lines)
                self._lines = []
