"""`python -m benchmarks.servers.smtp PORT`: a sink for machines that have no `smtp-sink`.

It speaks just enough SMTP, with PIPELINING, takes everything and, like `smtp-sink -c`, prints how
much it has taken.
"""

import asyncio
import os
import sys

_HELLO = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
_ANSWERS = {
    b"EHLO": _HELLO,
    b"HELO": b"250 sink.example\r\n",
    b"MAIL": b"250 2.1.0 ok\r\n",
    b"RCPT": b"250 2.1.5 ok\r\n",
    b"RSET": b"250 2.0.0 ok\r\n",
    b"NOOP": b"250 2.0.0 ok\r\n",
    b"DATA": b"354 end with a dot\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}
_END = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One connection: commands up to DATA, then a body up to its dot."""

    taken = 0
    """Messages taken by all connections together."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._buffer = b""
        self._in_body = False
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole command and every whole body, in one write."""
        self._buffer += data
        answers = []
        while (end := _END if self._in_body else b"\r\n") in self._buffer:
            part, _, self._buffer = self._buffer.partition(end)
            answers.append(self._take() if self._in_body else self._answer(part[:4].upper()))
        if answers:
            self._transport.write(b"".join(answers))
        if _ANSWERS[b"QUIT"] in answers:
            self._transport.close()

    def _answer(self, verb: bytes) -> bytes:
        self._in_body = verb == b"DATA"
        return _ANSWERS.get(verb, b"500 5.5.1 what?\r\n")

    def _take(self) -> bytes:
        self._in_body = False
        Sink.taken += 1
        os.write(1, b"mesg=%d\r" % Sink.taken)
        return b"250 2.0.0 taken\r\n"


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
