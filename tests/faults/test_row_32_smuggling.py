"""Row 32: bodies that would end a message early, and begin another, at a careless server."""

import json
import re

import pytest

from tests.faults.client import FIELDS, Client
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer

SECOND = "MAIL FROM:<eve@example.net>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: two"
ENDS = ["\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r"]
BODIES = [
    *(f"first{end}{SECOND}" for end in ENDS),
    ".",
    "..",
    ".\r\n..\r\n...\r\n",
    ".leading\n..twice\n",
    "bare\rCR",
    "bare\nLF",
    "\rbegins with CR",
    "\n\n\nempty lines",
    "ends in CR\r",
    "x" * 5000 + "\r\n.\r\n",
]


def as_lines(text: str) -> bytes:
    """The body as mail has it: a line's end is CRLF, a lone CR is content."""
    whole = re.sub("\r\n|\n", "\r\n", text)
    return (whole if whole.endswith("\r\n") else f"{whole}\r\n").encode()


@pytest.mark.quick
@pytest.mark.faults("32", "SMTP smuggling bodies")
def test_each_arrives_as_it_was_sent_and_as_one_message(row: Row, sink: SmtpPeer) -> None:
    with row.system(by_smtp(sink)) as system:
        system.start_web()
        system.start_worker()
        client = Client.of(row.owner(), system.port)
        for number, text in enumerate(BODIES):
            body = json.dumps(FIELDS | {"subject": f"{number}", "message": text}).encode()
            reply = client.ask("POST", "/v1/mail", body)
            assert reply.status == 200
            row.accepted.add(reply.message_id)
        row.drain()
        verdict = row.judge(sink)
    assert verdict.handed_off == len(sink.taken) == len(BODIES)
    for envelope in sink.taken:
        # whatever a server takes for the end of a line, here is none but CRLF
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", envelope.content)
        text = BODIES[int(envelope.message["Subject"])]
        assert envelope.message.get_payload(decode=True) == as_lines(text)
        assert (envelope.sender, envelope.recipients) == (
            "app@example.com",
            ("reader@example.org",),
        )
