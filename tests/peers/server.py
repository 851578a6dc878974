"""What the peers share: listening, a thread for each connection, and a clean end."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.peers.actions import GoneError, Line


class PeerServer:
    """A TCP server on a loopback port, by default a free one; a context manager."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        """Where it listens, on 127.0.0.1."""
        self.connections = 0
        """How many it has accepted so far."""
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[Line] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        # wakes the accepting thread, which close() alone would leave waiting
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)

    @property
    def open_connections(self) -> int:
        """How many are open now."""
        with self._lock:
            return len(self._open)

    def hang_up(self) -> None:
        """Close every open connection, as a server does that is restarted."""
        with self._lock:
            for line in self._open:
                with suppress(OSError):
                    line.sock.shutdown(socket.SHUT_RDWR)

    def converse(self, line: Line) -> None:
        """Serve one connection; each kind of peer has its own way."""
        raise NotImplementedError

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            line = Line(sock, self._stopped)
            with self._lock:
                self._open.add(line)
                self.connections += 1
            self._spawn(lambda line=line: self._serve(line))  # type: ignore[misc]

    def _serve(self, line: Line) -> None:
        with suppress(GoneError, OSError):
            self.converse(line)
        with self._lock:
            self._open.discard(line)
        line.sock.close()
