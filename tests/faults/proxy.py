"""A TCP proxy between Limbo and a sink or a database, that can be told to misbehave at any time.

    with Proxy(sink.port) as proxy:
        proxy.pace = Pace.bytewise(1.0)    # answers come a byte a second from now on
        proxy.vanish()                    # takes connections and bytes, and gives nothing
        proxy.cut()                       # resets every open connection
        proxy.half_close()                # ends the server's direction only

What is sent on goes through; the proxy keeps nothing back unless it is told to.
"""

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast bytes go through: `size` of them, then a wait of `every` seconds."""

    every: float = 0.0
    size: int = 65536

    @classmethod
    def bytewise(cls, every: float) -> "Pace":
        """One byte each so many seconds."""
        return cls(every, 1)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One connection: the client's end and the server's."""

    client: socket.socket
    server: socket.socket


class Proxy:
    """Listens on a free port and passes on to `target` on 127.0.0.1; a context manager."""

    def __init__(self, target: int) -> None:
        self.target = target
        """Where it passes new connections on to; where nobody listens, it resets them."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        """Where it listens, on 127.0.0.1."""
        self.connections = 0
        """How many it has taken so far."""
        self.pace = Pace()
        """How the server's answers come through; requests are never slowed."""
        self._lets_through = threading.Event()
        self._lets_through.set()
        self._over = threading.Event()
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._lets_through.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def vanish(self) -> None:
        """From now on nothing goes through, either way: a black hole that takes connections."""
        self._lets_through.clear()

    def cut(self) -> None:
        """Reset every open connection, towards both sides."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in (pair.client, pair.server):
                _reset(end)

    def half_close(self) -> None:
        """End what the server says on every open connection; the client may go on talking."""
        with self._lock:
            for pair in self._pairs:
                with suppress(OSError):
                    pair.client.shutdown(socket.SHUT_WR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            _reset(client)
            return
        with self._lock:
            self.connections += 1
            self._pairs.append(_Pair(client, server))
        back = threading.Thread(target=self._pump, args=(server, client, True), daemon=True)
        back.start()
        self._pump(client, server, False)
        back.join()
        client.close()
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket, slowed: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._pass_on(data, target, slowed)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _pass_on(self, data: bytes, target: socket.socket, slowed: bool) -> None:
        while data:
            self._lets_through.wait()
            pace = self.pace if slowed else Pace()
            target.sendall(data[: pace.size])
            data = data[pace.size :]
            if pace.every:
                self._over.wait(pace.every)


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # wakes the thread that reads it; the close after it sends the reset
        end.shutdown(socket.SHUT_RD)
        end.close()
