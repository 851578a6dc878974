"""What a message may have beyond its addresses, subject and text."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from notifications.delivery.rows import MessageRow
from notifications.models import Attachment
from notifications.models.ids import Id

FILES_OCTETS = 64 * 1024 * 1024
"""So much of files one batch holds in memory; the first message's are held even so."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with the message."""

    name: str
    type: str
    """Its media type, which may have parameters."""
    content: bytes = field(repr=False)
    content_id: str = ""
    """The HTML refers to it by `cid:` and this; empty for a file that stands for itself."""


@dataclass(frozen=True, slots=True)
class Extras:
    """All of it; most messages have none."""

    html: str = ""
    reply_to: tuple[str, ...] = ()
    """Mailboxes, each `address` or `name <address>`."""
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()


def extras_of(message: MessageRow, files: Sequence[File]) -> Extras | None:
    """What `message` has, or None."""
    if not (
        files
        or message.html
        or message.reply_to
        or message.headers
        or message.tags
        or message.metadata
    ):
        return None
    headers = json.loads(message.headers or "[]")
    return Extras(
        html=message.html,
        reply_to=tuple(message.reply_to or ()),
        headers=tuple((name, value) for name, value in headers),
        tags=tuple(message.tags or ()),
        metadata=json.loads(message.metadata or "{}"),
        files=tuple(files),
    )


def load_files(messages: Iterable[MessageRow]) -> dict[Id, list[File]]:
    """The files of those messages that have any, in one query; none where none has."""
    having = [message.id for message in messages if message.attached_octets]
    files: dict[Id, list[File]] = {message_id: [] for message_id in having}
    if having:
        for row in Attachment.objects.filter(message_id__in=having).order_by("message", "position"):
            file = File(row.name, row.type, bytes(row.content), row.content_id)
            files[str(row.message_id)].append(file)
    return files


def fitting(messages: Iterable[MessageRow]) -> list[MessageRow]:
    """Those whose files fit into memory together; the first always does."""
    kept: list[MessageRow] = []
    octets = 0
    for message in messages:
        octets += message.attached_octets
        if not kept or octets <= FILES_OCTETS or not message.attached_octets:
            kept.append(message)
    return kept
