"""An SMTP sink in a process of its own, for rows with thousands of messages.

`python -m tests.faults.sink --port 2525 --file taken.jsonl --delay 0.02`

It writes a line into its file for each message whose final dot it read, before it answers, and one
for each that broke off. It takes everything.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.conftest import wait_until
from tests.e2e.system import ROOT, free_port, is_listening
from tests.faults.records import Received, Step, read_lines

_ANSWERS = {
    b"EHLO": b"250-sink.example\r\n250-SIZE 20000000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"MAIL": b"250 2.1.0 ok\r\n",
    b"RCPT": b"250 2.1.5 ok\r\n",
    b"RSET": b"250 2.0.0 ok\r\n",
    b"NOOP": b"250 2.0.0 ok\r\n",
    b"DATA": b"354 end with a dot\r\n",
}
_END = b"\r\n.\r\n"


class _Conversation(asyncio.Protocol):
    """One connection: commands up to DATA, then a body up to its dot."""

    def __init__(self, file: int, delay: float) -> None:
        self._file = file
        self._delay = delay
        self._buffer = b""
        self._recipients: list[str] = []
        self._in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole command, and every whole body."""
        self._buffer += data
        end = _END if self._in_body else b"\r\n"
        while end in self._buffer:
            part, _, self._buffer = self._buffer.partition(end)
            if self._in_body:
                self._end_body(part)
            else:
                self._answer(part)
            end = _END if self._in_body else b"\r\n"

    def connection_lost(self, error: Exception | None) -> None:
        """Note a message that was cut short."""
        if self._in_body:
            self._note(self._buffer, Step.BEGAN)

    def _answer(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"QUIT":
            self._transport.write(b"221 2.0.0 bye\r\n")
            self._transport.close()
            return
        if verb == b"MAIL":
            self._recipients = []
        if verb == b"RCPT":
            self._recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
        self._in_body = verb == b"DATA"
        self._transport.write(_ANSWERS.get(verb, b"500 5.5.1 what?\r\n"))

    def _end_body(self, content: bytes) -> None:
        self._in_body = False
        self._note(content, Step.TAKEN)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._accept)
        else:
            self._accept()

    def _accept(self) -> None:
        self._transport.write(b"250 2.0.0 ok, taken\r\n")

    def _note(self, content: bytes, step: Step) -> None:
        head = content.partition(b"\r\n\r\n")[0]
        record = Received(
            _header(b"X-Limbo-Handoff", head),
            _header(b"Message-ID", head),
            tuple(self._recipients),
            time.time(),
            step,
        )
        os.write(self._file, record.as_line())


def _header(name: bytes, head: bytes) -> str:
    found = re.search(rb"^" + name + rb":\s*(\S+)", head, re.MULTILINE)
    return found[1].decode() if found else ""


async def _serve(port: int, file: Path, delay: float) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Conversation(descriptor, delay), "127.0.0.1", port, backlog=512
    )
    await server.serve_forever()


class SinkProcess:
    """The sink as a test starts and asks it; a context manager."""

    def __init__(self, folder: Path, *, delay: float = 0.0) -> None:
        self.port = free_port()
        self._file = folder / f"sink-{self.port}.jsonl"
        self._delay = delay

    def __enter__(self) -> Self:
        options = ["--port", str(self.port), "--file", str(self._file), "--delay", str(self._delay)]
        command = [sys.executable, "-m", "tests.faults.sink", *options]
        self._process = subprocess.Popen(command, cwd=ROOT)
        wait_until(lambda: is_listening(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def count(self) -> int:
        """How many records it has."""
        return self._file.read_bytes().count(b"\n") if self._file.exists() else 0

    def received(self) -> list[Received]:
        """What it has seen so far."""
        return list(read_lines(self._file))


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--delay", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(_serve(options.port, options.file, options.delay))


if __name__ == "__main__":
    main()
