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

_CHUNK = 65536


class Replies:
    """The server's side of one connection, as far as it came and is not read yet."""

    def __init__(self) -> None:
        self._whole: deque[tuple[int, bytes]] = deque()
        self._texts: list[bytes] = []  # the lines of a reply that is not whole yet
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
            if len(self._texts) >= _MOST_LINES or len(self._rest) > _LONGEST_LINE:
                raise smtplib.SMTPServerDisconnected("a reply without end")
            data = sock.recv(_CHUNK) if sock else b""
            if not data:
                raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
            self._take(data)
        return self._whole.popleft()

    def skip(self, codes: Sequence[int]) -> bool:
        """Pass over the replies that are there, if they have these codes and no others."""
        if [code for code, _ in self._whole] != codes:
            return False
        self._whole.clear()
        return True

    def has_heard(self, sock: socket.socket | None) -> bool:
        """Whether there is something that nobody asked for: a reply, or the connection's end.

        Only reading tells: over TLS what came may be a matter of TLS itself, such as a ticket.
        """
        if self._whole or self._texts or self._rest or not isinstance(sock, DeadlineSocket):
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
            self._texts.append(line[4:].strip())
            is_numbered = line[:3].isdigit()
            if not is_numbered or line[3:4] != b"-":
                code = int(line[:3]) if is_numbered else -1
                self._whole.append((code, b"\n".join(self._texts)))
                self._texts = []
