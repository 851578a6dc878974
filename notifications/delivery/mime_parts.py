"""The body of a MIME message: one text, or texts and files in parts.

    multipart/mixed                  where files are attached
        multipart/alternative        where there is HTML
            text/plain
            multipart/related        where the HTML shows files
                text/html
                image/png …
        application/pdf …

A single part stands for itself. What is written is ASCII, with CRLF and lines of at most 998
octets, and always the same.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from email.utils import encode_rfc2231

from notifications.delivery.extras import File
from notifications.delivery.handoff import Outgoing
from notifications.models.record import record

CRLF = "\r\n"

LINE_OCTETS = 76
"""The longest line that is written where there is a choice (RFC 5322, 2.1.1; RFC 2045, 6.7)."""

_READABLE_LINE_OCTETS = 901
"""The longest line of text that stays as it is; the limit is 998 (RFC 5321, 4.5.3.1.6)."""

_READABLE = bytes([*b"\t\n", *range(ord(" "), ord("~") + 1)])
"""What text that needs no encoding is made of, and its lines end with."""

_SPACE_AT_END = re.compile(rb"\n(?<=[ \t]\n)")
"""Would be trimmed on the way. An expression is quickest to find what it begins with."""

_LINE_END = re.compile("\r\n|\n")

_LINE_OF_BASE64 = LINE_OCTETS // 4 * 3
"""So many octets make a whole line."""


@record
class Part:
    """A part with its headers, whose body ends with CRLF (or is empty)."""

    headers: tuple[str, ...]
    body: bytes

    def __bytes__(self) -> bytes:
        """The part as it stands among others."""
        return CRLF.join([*self.headers, "", ""]).encode() + self.body


def build_body(outgoing: Outgoing) -> Part:
    """The body of `outgoing`. Raises ValueError for a file that cannot be named in a header."""
    text = text_part(outgoing.text)
    extras = outgoing.extras
    if extras is None or not (extras.html or extras.files):
        return text
    # unknown to whoever wrote the message, and no encoding writes `=_`
    boundary = f"=_limbo_{outgoing.message_id.replace('-', '')}"
    shown = [file for file in extras.files if extras.html and file.content_id]
    attached = [file for file in extras.files if file not in shown]
    if extras.html:
        html = text_part(extras.html, "html")
        html = _multipart("related", [html, *map(_file_part, shown)], f"{boundary}_r")
        text = _multipart("alternative", [text, html], f"{boundary}_a")
    return _multipart("mixed", [text, *map(_file_part, attached)], f"{boundary}_m")


def text_part(text: str, subtype: str = "plain") -> Part:
    """A text in the encoding that suits it."""
    body, encoding = _encode_text(text)
    return Part(
        (
            f'Content-Type: text/{subtype}; charset="utf-8"',
            f"Content-Transfer-Encoding: {encoding}",
        ),
        body,
    )


def _multipart(subtype: str, parts: Sequence[Part], boundary: str) -> Part:
    """The parts in one; a single one stands for itself."""
    if len(parts) == 1:
        return parts[0]
    kind = f'Content-Type: multipart/{subtype};{CRLF} boundary="{boundary}"'
    # the line end before a boundary belongs to it (RFC 2046, 5.1.1), not to the part
    pieces = [b"--%b\r\n%b\r\n" % (boundary.encode(), bytes(part)) for part in parts]
    return Part((kind,), b"".join([*pieces, b"--%b--\r\n" % boundary.encode()]))


def _file_part(file: File) -> Part:
    _refuse_controls(file.name, file.type, file.content_id)
    disposition = "inline" if file.content_id else "attachment"
    headers = [
        f"Content-Type: {file.type}",
        f"Content-Disposition: {disposition};{CRLF} {_file_name(file.name)}",
        "Content-Transfer-Encoding: base64",
    ]
    if file.content_id:
        headers.append(f"Content-ID: <{file.content_id}>")
    return Part(tuple(headers), _encode_base64(file.content))


def _file_name(name: str) -> str:
    """The parameter that names a file: quoted, or encoded by RFC 2231 where it is not ASCII."""
    if not name.isascii():
        return f"filename*={encode_rfc2231(name, 'utf-8')}"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'filename="{escaped}"'


def _refuse_controls(*values: str) -> None:
    # checked where the message came in; here so that no other way in can forge a header
    if any(character in value for value in values for character in "\r\n\0"):
        raise ValueError("line break or NUL in the description of a file")


def _encode_text(text: str) -> tuple[bytes, str]:
    """The text's bytes and the name of their transfer encoding."""
    readable = _readable(text.encode())
    if readable is not None:
        return readable, "7bit"
    lines = [line.encode() for line in _LINE_END.split(text)]
    if lines[-1] == b"":
        lines.pop()
    quoted = _joined([_quote_printable(line) for line in lines])
    encoded = _encode_base64(_joined(lines))
    # text that is mostly not Latin is shorter, and no less readable, in base64
    return (quoted, "quoted-printable") if len(quoted) <= len(encoded) else (encoded, "base64")


def _readable(data: bytes) -> bytes | None:
    """Text with CRLF at each line's end, the last one's too; None if it has to be encoded."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n") and data:
        data += b"\n"
    if data.translate(None, _READABLE) or _SPACE_AT_END.search(data) or _has_long_line(data):
        return None
    return data.replace(b"\n", b"\r\n")


def _has_long_line(data: bytes) -> bool:
    """Whether a line of `data`, which ends with a line's end, is too long to stay as it is."""
    start = 0
    # from the last line's end that may be reached to the next such, not line by line
    while len(data) - start > _READABLE_LINE_OCTETS + 1:
        start = data.rfind(b"\n", start, start + _READABLE_LINE_OCTETS + 1) + 1
        if not start:
            return True
    return False


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


def _quote_printable(line: bytes) -> bytes:
    # not as text: a lone CR is content here, and only its encoded form arrives as it is
    return binascii.b2a_qp(line, istext=False).replace(b"\n", b"\r\n")


def _encode_base64(data: bytes) -> bytes:
    pieces = (
        data[start : start + _LINE_OF_BASE64] for start in range(0, len(data), _LINE_OF_BASE64)
    )
    return b"".join(base64.b64encode(piece) + b"\r\n" for piece in pieces)
