"""`attachments`: files, and images that the HTML shows by their content id."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from notifications.intake.reader import Reader, header_fault

MAX_FILES = 50

MAX_NAME_OCTETS = 255

MEGABYTE = 1024 * 1024

_REQUIRED = ("name", "type", "content")
FIELDS = (*_REQUIRED, "content_id")

# RFC 6838 (4.2), with parameters, as in `text/calendar; method=REQUEST`
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}"
TYPE_PATTERN = rf"{_NAME}/{_NAME}(?:; ?{_NAME}={_NAME}){{0,4}}"
_TYPE = re.compile(TYPE_PATTERN)
_TYPE_FORM = "This is no media type, such as application/pdf."

# parts of a message with parts of their own, which base64 must not hide (RFC 2046, 5)
_COMPOSITE = ("multipart/", "message/")

# what can stand within <> and, unescaped, in the HTML's `cid:`
CONTENT_ID_PATTERN = r"[A-Za-z0-9._+=@-]{1,200}"
_CONTENT_ID = re.compile(CONTENT_ID_PATTERN)
_CONTENT_ID_FORM = "A content id has 1 to 200 ASCII letters, digits and . _ + = @ -"


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file as it was given."""

    name: str
    type: str
    content: bytes
    content_id: str = ""
    """The HTML refers to it by `cid:` and this; empty for a file that stands for itself."""


def read_attachments(reader: Reader, pointer: str, value: object) -> tuple[AttachedFile, ...]:
    """The files in their order, `LIMBO_MAX_ATTACHMENTS_MB` together."""
    named = reader.items(pointer, value, most=MAX_FILES, what="files")
    files = [_read_file(reader, place, item) for place, item in named]
    attached = tuple(file for file in files if file is not None)
    most: int = settings.LIMBO_MAX_ATTACHMENTS_MB
    if sum(len(file.content) for file in attached) > most * MEGABYTE:
        reader.refuse(pointer, f"The files have more than {most} MB together.", "too_large")
    ids = [file.content_id for file in attached if file.content_id]
    if len(set(ids)) < len(ids):
        reader.refuse(pointer, "A content id is there twice.", "repeated")
    return attached


def _read_file(reader: Reader, pointer: str, value: object) -> AttachedFile | None:
    if not isinstance(value, Mapping):
        reader.refuse(pointer, f"This must be an object of {', '.join(FIELDS)}.", "type")
        return None
    faults = len(reader.faults)
    reader.unknown(value, FIELDS, pointer)
    given = {field: value[field] for field in FIELDS if value.get(field) is not None}
    for field in _REQUIRED:
        if field not in given:
            reader.refuse(f"{pointer}/{field}", "This is missing.", "required")
    read: dict[str, Any] = {
        field: _READERS[field](reader, f"{pointer}/{field}", part) for field, part in given.items()
    }
    return None if len(reader.faults) > faults else AttachedFile(**read)


def _read_name(reader: Reader, pointer: str, value: object) -> str | None:
    return reader.filled(pointer, value, _name_fault)


def _name_fault(text: str) -> tuple[str, str] | None:
    if "/" in text or "\\" in text:
        return "This must be a file's name, not a path.", "form"
    if len(text.encode("utf-8", "replace")) > MAX_NAME_OCTETS:
        return f"This is longer than {MAX_NAME_OCTETS} octets.", "too_long"
    return header_fault(text)


def _read_type(reader: Reader, pointer: str, value: object) -> str | None:
    text = reader.matching(pointer, value, _TYPE, _TYPE_FORM)
    if text is not None and text.lower().startswith(_COMPOSITE):
        told = "A message or a part with parts goes as application/octet-stream."
        reader.refuse(pointer, told, "form")
        return None
    return text


def _read_content(reader: Reader, pointer: str, value: object) -> bytes | None:
    if not isinstance(value, str):
        reader.refuse(pointer, "This must be a string.", "type")
        return None
    if not value:
        reader.refuse(pointer, "This must not be empty.", "blank")
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        told = "This is not base64 (RFC 4648), which has no line breaks."
        reader.refuse(pointer, told, "base64")
        return None


def _read_content_id(reader: Reader, pointer: str, value: object) -> str | None:
    return reader.matching(pointer, value, _CONTENT_ID, _CONTENT_ID_FORM)


_READERS = {
    "name": _read_name,
    "type": _read_type,
    "content": _read_content,
    "content_id": _read_content_id,
}
