"""Row 31: whatever a hostile client posts is refused in words, and takes no memory."""

import json
from pathlib import Path

import pytest

from notifications.models import Message
from tests.e2e.processes import in_session
from tests.faults.client import FIELDS, Client
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer

MEGABYTE = 1024 * 1024
_ROUNDS = 5
_GROWTH = 100 * MEGABYTE
"""What a thread may keep of the largest bodies; one that is kept each time is more by the end."""

BREAKS = ["\r", "\n", "\r\n", "\0", "\r\nBcc: eve@example.net\r\n"]


def hostile_bodies() -> list[bytes]:
    """A body of each kind."""
    good = FIELDS | {"subject": "Hello"}
    in_headers = [
        good | {field: [value] if field in ("to", "cc", "bcc") else value}
        for text in BREAKS
        for field, value in (
            ("subject", f"Hello{text}you"),
            *((name, f"A{text}da <ada@example.org>") for name in ("from", "to", "cc", "bcc")),
            *((name, f"ada@exam{text}ple.org") for name in ("from", "to", "cc", "bcc")),
        )
    ]
    large = [
        good | {"subject": "x" * (10 * MEGABYTE - 1000)},
        good | {"subject": "x" * (10 * MEGABYTE)},
        good | {"to": [f"reader{number}@example.org" for number in range(10_000)]},
        good | {"attachments": [{"name": "a.bin", "content": "A" * (40 * MEGABYTE)}]},
    ]
    broken = [
        b"[" * 200_000,
        b'{"to":' * 50_000,
        b'{"to":' + b"[" * 900 + b"]" * 900 + b"}",
        json.dumps(good).encode().replace(b"Hello", b"Hell\xff\xfe"),
        json.dumps(good).encode().replace(b"Hello", b"\xed\xa0\x80"),
        json.dumps(good).encode("utf-16"),
        json.dumps(good).replace("Hello", r"\ud800").encode(),
        b'{"to":[' + b"{}," * (3 * MEGABYTE) + b"1]}",
    ]
    return [*(json.dumps(fields).encode() for fields in in_headers + large), *broken]


def memory_of(session: int) -> int:
    """Octets of memory that a process and its children hold."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in in_session(session)]
    return sum(pages) * 4096


@pytest.mark.quick
@pytest.mark.faults("31", "hostile input")
def test_it_is_refused_clearly_and_memory_stays_flat(row: Row, sink: SmtpPeer) -> None:
    bodies = hostile_bodies()
    with row.system(by_smtp(sink)) as system:
        system.start_web()
        client = Client.of(row.owner(), system.port)
        sizes = []
        for _ in range(_ROUNDS):
            replies = [client.ask("POST", "/v1/mail", body) for body in bodies]
            assert {reply.status for reply in replies} <= {400, 413}
            for reply in replies:
                assert "/docs/errors/" in reply.json["type"]
                assert reply.json["detail"]
                assert len(reply.body) < 10_000
            sizes.append(memory_of(system.pid("web")))
        # by the second round each thread has had its room from the system
        assert sizes[-1] - sizes[1] < _GROWTH
        verdict = row.judge(sink)
    assert not Message.objects.exists()
    assert verdict.messages == 0
