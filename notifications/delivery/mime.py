"""Writing a message as MIME: the same bytes on every attempt.

The output is ASCII (RFC 2045 to 2047) with CRLF line ends and lines of at most 998 octets, so that
every server takes it; only an address that has no ASCII form brings UTF-8 into the headers
(RFC 6532). Headers are written here rather than by the standard library's policies, whose folding
of encoded words has lost commas and let line breaks through in versions of Python that Limbo runs
on (CVE-2025-1795, CVE-2024-6923).
"""

import base64
import binascii
import re
from datetime import UTC
from email.utils import format_datetime

from notifications.delivery.addresses import display_name, quoted_name, wire_address
from notifications.delivery.handoff import Outgoing, Recipient

LINE_OCTETS = 76
"""The longest line that is written where there is a choice (RFC 5322, 2.1.1; RFC 2045, 6.7)."""

_READABLE_LINE_OCTETS = 900
"""The longest line of text that stays as it is; the limit is 998 (RFC 5321, 4.5.3.1.6)."""

_WORD_OCTETS = 39
"""So many octets of text make an encoded word that fits on a line behind the header's name."""

_FOLDABLE = re.compile(r"[!-~]{1,60}(?: [!-~]{1,60})*")
"""Words of printable ASCII with a single space between them: can be folded and read back."""

_READABLE = re.compile(rb"(?:[\t -~]{0,%d}[!-~])?" % _READABLE_LINE_OCTETS)
"""A line of text that needs no encoding: printable, and no space at its end to be trimmed."""

_LINE_END = re.compile("\r\n|\n")

CRLF = "\r\n"


def build_mime(outgoing: Outgoing) -> bytes:
    """The whole message, headers and body, with CRLF line ends; it ends with one.

    Bcc recipients are in the envelope only. Raises ValueError when a header holds a line break
    or NUL, and UnicodeError when the text has no UTF-8 form or a domain no ASCII form.
    """
    body, encoding = _encode_body(outgoing.text)
    headers = [
        _unstructured("Subject", outgoing.subject),
        _addresses("From", [(display_name(outgoing.sender), outgoing.sender_address)]),
        *_recipient_headers(outgoing.recipients),
        f"Date: {format_datetime(outgoing.accepted_at.astimezone(UTC))}",
        f"Message-ID: {outgoing.header_message_id}",
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="utf-8"',
        f"Content-Transfer-Encoding: {encoding}",
    ]
    return CRLF.join([*headers, "", ""]).encode() + body


def _recipient_headers(recipients: tuple[Recipient, ...]) -> list[str]:
    headers = []
    for kind, header in (("to", "To"), ("cc", "Cc")):
        named = [(r.name, r.address) for r in recipients if r.kind == kind]
        if named:
            headers.append(_addresses(header, named))
    # some servers add a To of their own, with the Bcc recipients, when there is none at all
    return headers or ["To: undisclosed-recipients:;"]


def _addresses(header: str, named: list[tuple[str, str]]) -> str:
    mailboxes = []
    for name, address in named:
        _refuse_controls(header, address)
        written = wire_address(address)
        mailboxes.append(_fold_before(_phrase(header, name), f"<{written}>") if name else written)
    return f"{header}: " + f",{CRLF} ".join(mailboxes)


def _fold_before(text: str, last: str) -> str:
    """`text last`, on two lines where one would be too long."""
    line = text.rpartition(CRLF)[2]
    room = LINE_OCTETS - len("From: ") - len(line) - 1
    return f"{text}{' ' if len(last) <= room else CRLF + ' '}{last}"


def _phrase(header: str, name: str) -> str:
    _refuse_controls(header, name)
    if _FOLDABLE.fullmatch(name) and "=?" not in name:
        return _fold(quoted_name(name))
    return _encoded_words(name)


def _unstructured(header: str, value: str) -> str:
    _refuse_controls(header, value)
    if not value:
        return f"{header}: "
    if _FOLDABLE.fullmatch(value) and "=?" not in value:
        return _fold(f"{header}: {value}")
    return f"{header}: {_encoded_words(value)}"


def _refuse_controls(header: str, value: str) -> None:
    # checked where the message came in; here so that no other way in can forge a header
    if any(character in value for character in "\r\n\0"):
        raise ValueError(f"line break or NUL in {header}")


def _fold(text: str) -> str:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LINE_OCTETS:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] or len(lines) > 1 else word
    return CRLF.join(lines)


def _encoded_words(text: str) -> str:
    """RFC 2047 encoded words, one a line, none of which cuts a character in two."""
    chunks = [""]
    for character in text:
        if len((chunks[-1] + character).encode()) > _WORD_OCTETS:
            chunks.append("")
        chunks[-1] += character
    words = (base64.b64encode(chunk.encode()).decode() for chunk in chunks)
    return f"{CRLF} ".join(f"=?utf-8?b?{word}?=" for word in words)


def _encode_body(text: str) -> tuple[bytes, str]:
    """The body's bytes and the name of their transfer encoding."""
    lines = [line.encode() for line in _LINE_END.split(text)]
    if lines[-1] == b"":
        lines.pop()
    if all(_READABLE.fullmatch(line) for line in lines):
        return _joined(lines), "7bit"
    quoted = _joined([_quote_printable(line) for line in lines])
    encoded = _joined(_base64_lines(_joined(lines)))
    # text that is mostly not Latin is shorter, and no less readable, in base64
    return (quoted, "quoted-printable") if len(quoted) <= len(encoded) else (encoded, "base64")


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


def _quote_printable(line: bytes) -> bytes:
    # not as text: a lone CR is content here, and only its encoded form arrives as it is
    return binascii.b2a_qp(line, istext=False).replace(b"\n", b"\r\n")


def _base64_lines(data: bytes) -> list[bytes]:
    encoded = base64.b64encode(data)
    return [encoded[start : start + LINE_OCTETS] for start in range(0, len(encoded), LINE_OCTETS)]
