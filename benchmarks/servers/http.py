"""`python -m benchmarks.servers.http PORT`: a provider that takes JSON over HTTP, like Postmark.

It takes everything over connections that stay open, and prints how much it has taken, as
`smtp-sink -c` does.
"""

import asyncio
import json
import os
import re
import sys

_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_END = b"\r\n\r\n"


class Provider(asyncio.Protocol):
    """One connection with one request after the other."""

    taken = 0
    """Messages taken by all connections together."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._buffer = b""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while _END in self._buffer:
            head, _, rest = self._buffer.partition(_END)
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._transport.write(self._answer(json.loads(rest[:length])["To"]))

    def _answer(self, recipient: str) -> bytes:
        Provider.taken += 1
        os.write(1, b"mesg=%d\r" % Provider.taken)
        answer = {
            "ErrorCode": 0,
            "Message": "OK",
            "MessageID": f"{Provider.taken:08x}-0000-4000-8000-000000000000",
            "SubmittedAt": "2025-01-01T12:00:00Z",
            "To": recipient,
        }
        body = json.dumps(answer).encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:"
        return f"{head} {len(body)}\r\n\r\n".encode() + body


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
