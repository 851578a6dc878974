"""What a message has beyond its text, in the form that Anymail's backends take it."""

import json
from collections.abc import Mapping
from email import encoders
from email.mime.base import MIMEBase
from typing import Any

from notifications.delivery.esps import Esp, Room
from notifications.delivery.extras import Extras, File


def add_extras(message: Any, extras: Extras, esp: Esp) -> None:
    """Give `message` all that `esp` can carry of `extras`.

    What its backend refuses to carry raises AnymailUnsupportedFeature when it is sent. Tags and
    metadata are the caller's labels, which Limbo keeps itself: those that would be refused are
    left out, and no mail fails for them.
    """
    if extras.html:
        message.attach_alternative(extras.html, "text/html")
    message.reply_to = list(extras.reply_to)
    message.extra_headers.update(extras.headers)
    message.attachments += map(_attachment, extras.files)
    if tags := [*getattr(message, "tags", ()), *extras.tags][: esp.most_tags]:
        message.tags = tags
    if esp.metadata is not None:
        own: dict[str, str] = getattr(message, "metadata", {})
        message.metadata = own | _fitting(extras.metadata, esp.metadata)


def _fitting(metadata: Mapping[str, str], room: Room) -> dict[str, str]:
    """As many of the pairs as there is room for, in their order."""
    fitting: dict[str, str] = {}
    octets = 0
    for key, value in metadata.items():
        fits = len(key) <= room.key and len(value) <= room.value
        size = len(json.dumps([key, value]))
        if not fits or octets + size > room.octets or (room.ascii_only and not value.isascii()):
            continue
        fitting[key] = value
        octets += size
    return dict(list(fitting.items())[: room.pairs])


def _attachment(file: File) -> MIMEBase:
    """The file as it is: from a tuple Django would make another one of what looks like text."""
    part = MIMEBase(*file.type.split("/", 1))
    if part.get_content_maintype() == "text" and not _is_text(file.content, part):
        part.replace_header("Content-Type", "application/octet-stream")
    part.set_payload(file.content)
    encoders.encode_base64(part)
    disposition = "inline" if file.content_id else "attachment"
    part.add_header("Content-Disposition", disposition, filename=file.name)
    if file.content_id:
        part.add_header("Content-ID", f"<{file.content_id}>")
    return part


def _is_text(content: bytes, part: MIMEBase) -> bool:
    """Whether `content` can be read as what its type says; the backends try to."""
    try:
        content.decode(part.get_content_charset("utf-8"))
    except (LookupError, UnicodeDecodeError):
        return False
    return True
