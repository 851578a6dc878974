"""A hand-off as SMTP sends it."""

import re
from functools import lru_cache

from notifications.delivery.addresses import wire_address
from notifications.delivery.handoff import HandoffRequest
from notifications.delivery.mime import build_mime
from notifications.models.ids import Id
from notifications.models.record import record

_UNSAFE = re.compile(r"[\x00-\x20\x7f<>]")
"""Within <> a space or a > would begin what the server reads as parameters."""

_LEADING_DOT = re.compile(rb"\n\.")
"""An expression, which finds that there is none in half the time that `bytes.replace` takes."""


@record
class Letter:
    """A hand-off as it goes over the wire."""

    handoff_id: Id
    sender: str
    recipients: tuple[tuple[Id, str], ...]
    """Each delivery's address."""
    data: bytes
    """The message, dots doubled, without the final one."""
    smtputf8: bool
    """Whether an address or a header has no ASCII form."""


def write_letter(request: HandoffRequest) -> Letter:
    """Build what is sent for `request`; the Handoff's id travels in front of the message.

    Raises ValueError, UnicodeError among them, when the message cannot be written.
    """
    mark = f"X-Limbo-Handoff: {request.handoff_id}\r\n".encode()
    content = mark + build_mime(request.outgoing)
    recipients = tuple([(r.delivery_id, _bare(r.address)) for r in request.envelope])
    sender = _bare_sender(request.outgoing.sender_address)
    # RFC 5321, 4.5.2; the first line begins with the mark, and so with no dot
    data = _LEADING_DOT.sub(b"\n..", content)
    addresses = "".join([sender, *[address for _, address in recipients]])
    smtputf8 = not (data.isascii() and addresses.isascii())
    return Letter(request.handoff_id, sender, recipients, data, smtputf8)


def _bare(address: str) -> str:
    if _UNSAFE.search(address):
        raise ValueError("an address holds a space, a bracket or a control character")
    return wire_address(address)


_bare_sender = lru_cache(_bare)
"""Senders are few, and each writes much."""
