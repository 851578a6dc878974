"""Writing a message as MIME: the same bytes on every attempt.

The output is ASCII (RFC 2045 to 2047) with CRLF line ends and lines of at most 998 octets, so that
every server takes it; only an address that has no ASCII form brings UTF-8 into the headers
(RFC 6532). Headers are written here rather than by the standard library's policies, whose folding
of encoded words has lost commas and let line breaks through in versions of Python that Limbo runs
on (CVE-2025-1795, CVE-2024-6923).
"""

import base64
import re
from datetime import UTC, datetime
from functools import lru_cache

from notifications.delivery.addresses import (
    bare_address,
    display_name,
    quoted_name,
    wire_address,
)
from notifications.delivery.extras import Extras
from notifications.delivery.handoff import Outgoing
from notifications.delivery.mime_parts import CRLF, LINE_OCTETS, build_body
from notifications.delivery.recipient import Recipient

_WORD_OCTETS = 39
"""So many octets of text make an encoded word that fits on a line behind the header's name."""

_FOLDABLE = re.compile(r"[!-~]{1,60}(?: [!-~]{1,60})*")
"""Words of printable ASCII with a single space between them: can be folded and read back."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_BREAK = re.compile(r"[\r\n\0]")

_WORD = re.compile(r"[ \t]*[^ \t]+")
"""A word of a header with the space before it, which may be folded."""


def build_mime(outgoing: Outgoing) -> bytes:
    """The whole message, headers and body, with CRLF line ends; it ends with one.

    Bcc recipients are in the envelope only. Raises ValueError when a header holds a line break
    or NUL, and UnicodeError when the text has no UTF-8 form or a domain no ASCII form.
    """
    body = build_body(outgoing)
    headers = [
        _unstructured("Subject", outgoing.subject),
        _from(outgoing.sender, outgoing.sender_address),
        *_recipient_headers(outgoing.recipients),
        f"Date: {_date_at(int(outgoing.accepted_at))}",
        f"Message-ID: {outgoing.header_message_id}",
        *_further_headers(outgoing.extras),
        "MIME-Version: 1.0",
        *body.headers,
    ]
    return CRLF.join([*headers, "", ""]).encode() + body.body


@lru_cache
def _from(sender: str, address: str) -> str:
    # senders are few, and each writes much
    return _addresses("From", [(display_name(sender), address)])


@lru_cache  # what is sent at one time was mostly accepted within few seconds
def _date_at(second: int) -> str:
    """As RFC 5322, 3.3, has it. The standard library's way takes four times as long."""
    utc = datetime.fromtimestamp(second, UTC)
    day = f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04}"
    return f"{day} {utc.hour:02}:{utc.minute:02}:{utc.second:02} +0000"


def _recipient_headers(recipients: tuple[Recipient, ...]) -> list[str]:
    headers = []
    for kind, header in (("to", "To"), ("cc", "Cc")):
        named = [(r.name, r.address) for r in recipients if r.kind == kind]
        if named:
            headers.append(_addresses(header, named))
    # some servers add a To of their own, with the Bcc recipients, when there is none at all
    return headers or ["To: undisclosed-recipients:;"]


def _further_headers(extras: Extras | None) -> list[str]:
    if extras is None:
        return []
    headers = [_further(name, value) for name, value in extras.headers]
    if extras.reply_to:
        named = [(display_name(mailbox), bare_address(mailbox)) for mailbox in extras.reply_to]
        headers.append(_addresses("Reply-To", named))
    return headers


def _further(header: str, value: str) -> str:
    """A header of which nobody knows what it holds: folded at its spaces, never within a word.

    Words stay whole, however long: a URL or a message id in encoded words would be lost.
    """
    _refuse_controls(header, header + value)
    if not value.isascii():
        return f"{header}: {_encoded_words(value)}"
    lines = [f"{header}:"]
    for word in _WORD.findall(f" {value}"):
        if len(lines[-1]) + len(word) > LINE_OCTETS and lines != [f"{header}:"]:
            lines.append("")
        lines[-1] += word
    return CRLF.join(lines)


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
    if _FOLDABLE.fullmatch(value) and "=?" not in value:
        return _fold(f"{header}: {value}")
    _refuse_controls(header, value)
    return f"{header}: {_encoded_words(value) if value else ''}"


def _refuse_controls(header: str, value: str) -> None:
    # checked where the message came in; here so that no other way in can forge a header
    if _BREAK.search(value):
        raise ValueError(f"line break or NUL in {header}")


def _fold(text: str) -> str:
    if len(text) <= LINE_OCTETS:
        return text
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
