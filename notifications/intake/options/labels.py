"""`tags` and `metadata`: what the caller's own systems know a message by."""

import re

from notifications.intake.reader import Reader, header_fault

MAX_TAGS = 10
MAX_TAG_CHARACTERS = 64

MAX_METADATA = 20
MAX_KEY_CHARACTERS = 40
MAX_VALUE_CHARACTERS = 500

RESERVED_PREFIX = "limbo_"
"""Keys under which Limbo's own marks travel with the caller's."""

TAG_PATTERN = rf"[A-Za-z0-9_.:-]{{1,{MAX_TAG_CHARACTERS}}}"
KEY_PATTERN = rf"[A-Za-z0-9_.:-]{{1,{MAX_KEY_CHARACTERS}}}"
_TAG = re.compile(TAG_PATTERN)
_KEY = re.compile(KEY_PATTERN)

_CHARACTERS = "ASCII letters, digits and _ . : -"
_TAG_FORM = f"A tag has 1 to {MAX_TAG_CHARACTERS} {_CHARACTERS}."
_KEY_FORM = f"A key has 1 to {MAX_KEY_CHARACTERS} {_CHARACTERS}."


def read_tags(reader: Reader, pointer: str, value: object) -> tuple[str, ...]:
    """The tags, each once."""
    named = reader.items(pointer, value, most=MAX_TAGS, what="tags")
    tags = [reader.matching(place, item, _TAG, _TAG_FORM) for place, item in named]
    return tuple(dict.fromkeys(tag for tag in tags if tag is not None))


def read_metadata(reader: Reader, pointer: str, value: object) -> tuple[tuple[str, str], ...]:
    """Keys and values, in the order in which they were given."""
    metadata = []
    for place, key, given in reader.pairs(pointer, value, most=MAX_METADATA, what="texts"):
        text = reader.text(place, given, _value_fault)
        if key.startswith(RESERVED_PREFIX):
            reader.refuse(place, f"Keys that begin with {RESERVED_PREFIX} are Limbo's.", "reserved")
        elif reader.matching(place, key, _KEY, _KEY_FORM) and text is not None:
            metadata.append((key, text))
    return tuple(metadata)


def _value_fault(text: str) -> tuple[str, str] | None:
    if len(text) > MAX_VALUE_CHARACTERS:
        return f"This is longer than {MAX_VALUE_CHARACTERS} characters.", "too_long"
    return header_fault(text)
