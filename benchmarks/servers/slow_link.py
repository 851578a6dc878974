"""`python -m benchmarks.servers.slow_link PORT TARGET SECONDS`: a link with a delay.

Whatever the server behind it answers arrives so many seconds later, in order; nothing else is
slowed, and the connections do not wait for each other.
"""

import asyncio
import sys


class _Client(asyncio.Protocol):
    """A client's connection, with the one to the server behind it."""

    def __init__(self, target: int, seconds: float) -> None:
        self._target = target
        self._seconds = seconds
        self._early = b""
        self._server: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to the server too."""
        loop = asyncio.get_running_loop()
        if isinstance(transport, asyncio.Transport):
            self._task = loop.create_task(self._connect(loop, transport))

    def data_received(self, data: bytes) -> None:
        """Pass on what the client says."""
        if self._server is None:
            self._early += data
        else:
            self._server.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Hang up behind it."""
        if self._server is not None:
            self._server.close()

    async def _connect(self, loop: asyncio.AbstractEventLoop, client: asyncio.Transport) -> None:
        server, _ = await loop.create_connection(
            lambda: _Server(client, self._seconds), "127.0.0.1", self._target
        )
        server.write(self._early)
        self._server = server


class _Server(asyncio.Protocol):
    """The server's side: what comes from it waits."""

    def __init__(self, client: asyncio.Transport, seconds: float) -> None:
        self._client = client
        self._seconds = seconds

    def data_received(self, data: bytes) -> None:
        """Pass it on later; the loop keeps the order of equal delays."""
        asyncio.get_running_loop().call_later(self._seconds, self._client.write, data)

    def connection_lost(self, error: Exception | None) -> None:
        """Hang up after the last word."""
        asyncio.get_running_loop().call_later(self._seconds, self._client.close)


async def _serve(port: int, target: int, seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Client(target, seconds), "127.0.0.1", port, backlog=512
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
