"""From a Django message to a Mail; what Limbo cannot carry is refused by name."""

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import fields
from email.message import Message
from typing import Any

from django.core.mail import EmailMessage

from limbo_client.errors import UnsupportedError
from limbo_client.mail import Attachment, Mail

_HTML = "text/html"
_ANY_TYPE = "application/octet-stream"

_CARRIED = {
    "tags": "tags",
    "metadata": "metadata",
    "send_at": "send_at",
    "template_id": "template",
    "merge_global_data": "variables",
}
"""Attributes that Anymail gave a meaning, and a Mail's."""

_NOT_CARRIED = (
    "envelope_sender",
    "merge_data",
    "merge_headers",
    "merge_metadata",
    "track_clicks",
    "track_opens",
)
"""Attributes that Anymail gave a meaning, and Limbo has nothing for."""


_FIELDS = frozenset(field.name for field in fields(Mail))


def mail_of(message: EmailMessage) -> Mail:
    """The message as a Mail. Raises UnsupportedError for what would be lost on the way."""
    for name in _NOT_CARRIED:
        if getattr(message, name, None):
            raise UnsupportedError(f"Limbo has nothing for a message's `{name}`.")
    said: dict[str, Any] = {
        "sender": str(message.from_email),
        "to": _texts(message.to),
        "cc": _texts(message.cc),
        "bcc": _texts(message.bcc),
        "subject": str(message.subject) or None,
        **_bodies(message),
        **_headers(message),
        "attachments": list(_attachments(message)),
        **_anymail(message),
    }
    return Mail(**said)


def _bodies(message: EmailMessage) -> dict[str, str]:
    """Text and HTML, each once."""
    parts = [(f"text/{message.content_subtype}", message.body)] if message.body else []
    parts += [(mimetype, content) for content, mimetype in getattr(message, "alternatives", [])]
    bodies: dict[str, str] = {}
    for mimetype, content in parts:
        name = {"text/plain": "text", _HTML: "html"}.get(mimetype)
        if name is None:
            told = f"Limbo carries no alternative of the type {mimetype}; attach it instead."
            raise UnsupportedError(told)
        if name in bodies:
            raise UnsupportedError(f"Limbo carries one body of the type {mimetype}, not two.")
        bodies[name] = content if isinstance(content, str) else str(content)
    return bodies


def _headers(message: EmailMessage) -> dict[str, Any]:
    """Where answers go, and the further headers; Limbo refuses those that are not ours to set."""
    headers = {name: str(value) for name, value in message.extra_headers.items()}
    reply_to = _texts(message.reply_to)
    for name in list(headers):
        if name.lower() == "reply-to":
            # as in Django, it stands in place of the attribute
            reply_to = [headers.pop(name)]
    return {"reply_to": reply_to, "headers": headers or None}


def _anymail(message: EmailMessage) -> dict[str, Any]:
    """What Anymail's attributes say, and in `esp_extra` any other field of a Mail."""
    said = {
        ours: value
        for theirs, ours in _CARRIED.items()
        if (value := getattr(message, theirs, None)) is not None
    }
    if "metadata" in said:
        said["metadata"] = {name: str(value) for name, value in said["metadata"].items()}
    extra: Mapping[str, Any] = getattr(message, "esp_extra", None) or {}
    if unknown := extra.keys() - _FIELDS:
        raise UnsupportedError(
            f"Limbo has no field for `esp_extra`'s {', '.join(sorted(unknown))}."
        )
    return {**said, **extra}


def _attachments(message: EmailMessage) -> Iterator[Attachment]:
    for number, attachment in enumerate(message.attachments, start=1):
        if isinstance(attachment, Message):
            yield _from_mime(attachment, number)
        else:
            name, content, mimetype = attachment
            if not isinstance(content, str | bytes):
                told = "Limbo carries no message as an attachment; attach its bytes as a file."
                raise UnsupportedError(told)
            type_ = mimetype or mimetypes.guess_type(name or "")[0] or _ANY_TYPE
            name = name or _name(type_, number)
            if isinstance(content, bytes):
                yield Attachment(name, content, type_)
            else:
                yield Attachment(name, content.encode(), _in_utf_8(type_))


def _from_mime(part: Message, number: int) -> Attachment:
    """A part that was made by hand, as inline images are."""
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        raise UnsupportedError(
            f"Limbo carries no attachment of the type {part.get_content_type()}."
        )
    type_ = part.get_content_type()
    name = part.get_filename() or _name(type_, number)
    content_id = str(part.get("Content-ID", "")).strip().strip("<>")
    charset = part.get_content_charset()
    return Attachment(name, octets, f"{type_}; charset={charset}" if charset else type_, content_id)


def _name(type_: str, number: int) -> str:
    """A name for a file that has none: Limbo wants one."""
    return f"attachment-{number}{mimetypes.guess_extension(type_) or ''}"


def _in_utf_8(type_: str) -> str:
    is_plain_text = type_.startswith("text/") and ";" not in type_
    return f"{type_}; charset=utf-8" if is_plain_text else type_


def _texts(addresses: Any) -> list[str]:
    return [str(address) for address in addresses if address]
