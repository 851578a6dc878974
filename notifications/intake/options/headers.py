"""`headers`: further headers, but for those that Limbo or a provider answers for."""

import re

from notifications.intake.reader import MAX_HEADER_OCTETS, Reader, header_fault

MAX_HEADERS = 30

MAX_NAME_OCTETS = 76

NAME_PATTERN = rf"[A-Za-z][A-Za-z0-9-]{{0,{MAX_NAME_OCTETS - 1}}}"
_NAME = re.compile(NAME_PATTERN)

OWNED = frozenset(
    {
        # from the fields of a submission
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "reply-to",
        # Limbo's own
        "date",
        "message-id",
        "mime-version",
        "sender",
        # written on the way, by those who answer for them (RFC 5321, 4.4; RFC 6376; RFC 8601)
        "return-path",
        "received",
        "received-spf",
        "delivered-to",
        "apparently-to",
        "authentication-results",
        "dkim-signature",
        "domainkey-signature",
        # commands to SendGrid, which can name other recipients
        "x-smtpapi",
    }
)
"""In lower case."""

OWNED_PREFIXES = (
    "content-",
    "resent-",
    "arc-",
    "x-limbo-",
    # commands to providers: SparkPost, Mandrill, Mailjet, Mailgun, Postmark, SES, Brevo, Mailtrap
    "x-msys-",
    "x-mc-",
    "x-mj-",
    "x-mailgun-",
    "x-pm-",
    "x-ses-",
    "x-sib-",
    "x-mt-",
)

_FORM = f"A header's name has letters, digits and hyphens, {MAX_NAME_OCTETS} at most."


def read_headers(reader: Reader, pointer: str, value: object) -> tuple[tuple[str, str], ...]:
    """Names and values, in the order in which they were given."""
    headers = []
    seen: set[str] = set()
    for place, name, given in reader.pairs(pointer, value, most=MAX_HEADERS, what="headers"):
        text = reader.filled(place, given, header_fault)
        if _may_be_set(reader, place, name, seen) and text is not None:
            if len(name) + len(": ") + len(text.encode()) > MAX_HEADER_OCTETS:
                told = f"Name and value are longer than {MAX_HEADER_OCTETS} octets together."
                reader.refuse(place, told, "too_long")
            headers.append((name, text.strip()))
    return tuple(headers)


def _may_be_set(reader: Reader, place: str, name: str, seen: set[str]) -> bool:
    """Whether the name is one that a caller may use; it is `seen` then."""
    lower = name.lower()
    if reader.matching(place, name, _NAME, _FORM) is None:
        return False
    if lower in OWNED or lower.startswith(OWNED_PREFIXES):
        reader.refuse(place, f"The header {name} is not for the caller to set.", "reserved")
        return False
    if lower in seen:
        reader.refuse(place, f"The header {name} is there twice.", "repeated")
        return False
    seen.add(lower)
    return True
