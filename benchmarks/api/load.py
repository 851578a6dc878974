"""`python -m benchmarks.api.load PORT PATH AUTHORIZATION SECONDS FILE`: posts FILE all the time.

32 connections, each with one request at a time. Prints one JSON object: how many requests were
answered with 200 or 201, in how many seconds, the latencies' percentiles in milliseconds, and the
first answer that was another one, if any.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from benchmarks.figures import percentile

CONNECTIONS = 32
_GOOD = (b"HTTP/1.1 200", b"HTTP/1.1 201")
_LENGTH = b"content-length: "
_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class Caller(asyncio.Protocol):
    """One connection: as soon as an answer is whole, the next request goes out."""

    def __init__(self, request: bytes, deadline: float) -> None:
        self.latencies: list[float] = []
        self.ended_at = 0.0
        self.bad = b""
        self.over = asyncio.get_running_loop().create_future()
        self._request = request
        self._deadline = deadline
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        self._answer += data
        if _is_whole(self._answer):
            self._take(self._answer)
            self._answer = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """End; early only if the server wants it."""
        if not self.over.done():
            self.bad = self.bad or b"the server closed the connection"
            self.over.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def _take(self, answer: bytes) -> None:
        self.ended_at = time.perf_counter()
        if answer.startswith(_GOOD):
            self.latencies.append(self.ended_at - self._sent_at)
        else:
            self.bad = answer
        if self.bad or self.ended_at >= self._deadline:
            self.over.set_result(None)
            self._transport.close()
        else:
            self._send()


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(_END)
    if not end:
        return False
    _, named, rest = head.lower().partition(_LENGTH)
    if not named:
        return body.endswith(_LAST_CHUNK)
    return len(body) >= int(rest.split(b"\r\n", 1)[0])


async def load(port: int, request: bytes, seconds: float) -> dict[str, object]:
    """Post `request` for so long; returns what came of it."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    callers = [Caller(request, began + seconds) for _ in range(CONNECTIONS)]
    for caller in callers:
        await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(caller.over for caller in callers))
    times = [1000 * one for caller in callers for one in caller.latencies]
    return {
        "requests": len(times),
        "seconds": max(caller.ended_at for caller in callers) - began,
        **{f"p{share}_ms": percentile(times or [0.0], share / 100) for share in (50, 95, 99)},
        "bad": next((c.bad.decode(errors="replace") for c in callers if c.bad), ""),
    }


def _request(path: str, authorization: str, body: bytes) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {authorization}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + _END + body


if __name__ == "__main__":
    _port, _path, _authorization, _seconds, _file = sys.argv[1:]
    _post = _request(_path, _authorization, Path(_file).read_bytes())
    print(json.dumps(asyncio.run(load(int(_port), _post, float(_seconds)))))
