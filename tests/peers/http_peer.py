"""An HTTP provider that takes messages, or fails in the way and at the moment it is told to.

    with HttpPeer() as peer:                                     # takes everything, as Postmark
    with HttpPeer(Answer(500)) as peer:                          # always answers so
    with HttpPeer([Answer(429), None]) as peer:                  # the first so, the second well
    with HttpPeer(speak=mailgun, on_request=drop()) as peer:     # takes it and hangs up

What follows the last scripted answer is answered well, by `speak`, from the request. `on_accept`,
`on_connect` and `on_request` are actions in place of TLS, of reading the request, and of answering
it.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.peers.actions import Action, GoneError, Line
from tests.peers.certificate import Certificate, server_context
from tests.peers.server import PeerServer


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as the peer got it; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)
    """When it had come, by the wall clock."""

    @property
    def handoff_id(self) -> str:
        """The Handoff that brought it, from its metadata; "" where there is none."""
        found = re.search(
            rb"limbo_handoff.{1,80}?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
            self.body,
            re.DOTALL,
        )
        return found[1].decode() if found else ""

    @property
    def json(self) -> dict[str, object]:
        """The body, as JSON."""
        parsed: dict[str, object] = json.loads(self.body)
        return parsed


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer. `missing` bytes of the body are announced, but never sent."""

    status: int
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0
    drip_every: float | None = None
    """Send it a byte at a time, one every so many seconds."""


Speak = Callable[[HttpRequest], Answer]


def postmark(request: HttpRequest) -> Answer:
    """Take it as Postmark does."""
    body = {
        "To": request.json.get("To", ""),
        "SubmittedAt": "2026-01-01T00:00:00Z",
        "MessageID": "0a129aee-e1cd-480d-b08d-4f48548ff48d",
        "ErrorCode": 0,
        "Message": "OK",
    }
    return Answer(200, json.dumps(body))


def mailgun(_: HttpRequest) -> Answer:
    """Take it as Mailgun does."""
    body = {"id": "<20260101.1@mg.example.com>", "message": "Queued. Thank you."}
    return Answer(200, json.dumps(body))


def resend(_: HttpRequest) -> Answer:
    """Take it as Resend does."""
    return Answer(200, json.dumps({"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}))


def amazon_ses(_: HttpRequest) -> Answer:
    """Take it as version 2 of Amazon SES's API does."""
    return Answer(200, json.dumps({"MessageId": "0102018f-2c3d-4b5a-9e8f-1a2b3c4d5e6f-000000"}))


class HttpPeer(PeerServer):
    """A scriptable HTTP provider."""

    def __init__(
        self,
        answers: Answer | Sequence[Answer | None] = (),
        *,
        speak: Speak = postmark,
        on_accept: Action | None = None,
        on_connect: Action | None = None,
        on_request: Action | None = None,
        certificate: Certificate | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self._tls = server_context(certificate) if certificate else None
        self._speak = speak
        self._answers = answers
        self._on_accept = on_accept
        self._on_connect = on_connect
        self._on_request = on_request
        self.requests: list[HttpRequest] = []
        """Every request that it read whole."""
        self.taken: list[HttpRequest] = []
        """Those that it did not refuse (a 5xx is no refusal: it may have taken it)."""

    @property
    def url(self) -> str:
        """Where its API is."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/"

    def converse(self, line: Line) -> None:
        """Serve one connection."""
        if self._on_accept:
            self._on_accept.do(line)
        if self._tls:
            line.sock = self._tls.wrap_socket(line.sock, server_side=True)
        if self._on_connect:
            self._on_connect.do(line)
        reader = _Reader(line)
        while True:
            request = reader.read_request()
            answer = self.note(request)
            if self._on_request:
                self._on_request.do(line)
            else:
                _send(line, answer)

    def note(self, request: HttpRequest) -> Answer:
        """Keep a request that came whole, and decide how it is answered."""
        with self._lock:
            turn = len(self.requests)
            self.requests.append(request)
        # not under the lock: it may take its time
        answer = self._scripted(turn) or self._speak(request)
        with self._lock:
            if not 300 <= answer.status < 500:
                self.taken.append(request)
        return answer

    def _scripted(self, turn: int) -> Answer | None:
        if isinstance(self._answers, Answer):
            return self._answers
        return self._answers[turn] if turn < len(self._answers) else None


def _send(line: Line, answer: Answer) -> None:
    body = answer.body.encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body) + answer.missing),
        **answer.headers,
    }
    head = [f"HTTP/1.1 {answer.status} Said", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    data = "\r\n".join(head).encode() + body
    if answer.drip_every is None:
        line.send(data)
    else:
        _drip(line, data, answer.drip_every)
    if answer.missing:
        raise GoneError


def _drip(line: Line, data: bytes, every: float) -> None:
    for byte in data:
        line.send(bytes([byte]))
        if line.stopped.wait(every):
            raise GoneError


class _Reader:
    """Reads one request after the other from a connection."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._buffer = b""

    def read_request(self) -> HttpRequest:
        """The next request, whole."""
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = (text.partition(":") for text in rest)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = self._read_body(int(headers.get("content-length", "0")))
        return HttpRequest(method, path, headers, body)

    def _read_body(self, length: int) -> bytes:
        while len(self._buffer) < length:
            self._fill()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _fill(self) -> None:
        data = self._line.sock.recv(65536)
        if not data:
            raise GoneError
        self._buffer += data
