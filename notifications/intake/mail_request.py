"""What a caller may ask for: the rules of a submission, in one place for every way in."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from notifications.intake.addresses import AddressError, Mailbox, read_mailbox
from notifications.intake.errors import Fault, InvalidRequestError
from notifications.models import Priority, RecipientKind

MAX_REQUEST_OCTETS = 10 * 1024 * 1024
"""A whole request as it arrives; the way in holds it while it reads."""

MAX_RECIPIENTS = 50
"""In each of the three fields, repeated addresses included."""

MAX_HEADER_OCTETS = 998
"""A subject or a mailbox, in UTF-8: the longest line that RFC 5322 (2.1.1) lets through."""

RECIPIENT_FIELDS = tuple(kind.value for kind in RecipientKind)
FIELDS = ("from", *RECIPIENT_FIELDS, "subject", "message", "priority")

_TextRule = Callable[[str], tuple[str, str] | None]
"""What is wrong with a text (detail and code), or nothing."""

_MAX_UNKNOWN = 10
_SHOWN_KEY = 60

# everything that some mail library takes for the end of a line, and what no database can store
_NOT_IN_HEADERS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_BODIES = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A submission that keeps the rules; made by `read_mail_request` alone.

    An address that is named twice is delivered to once, where it was named first (To before Cc
    before Bcc): addresses are the same when they differ in nothing but the domain's case.
    """

    sender: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    bcc: tuple[Mailbox, ...]
    subject: str
    message: str
    priority: Priority = Priority.NORMAL

    def recipients(self) -> Iterator[tuple[RecipientKind, int, Mailbox]]:
        """Every recipient with its field and its place there."""
        for kind in RecipientKind:
            for position, mailbox in enumerate(getattr(self, kind)):
                yield kind, position, mailbox


def read_mail_request(fields: object) -> MailRequest:
    """Read a submission from decoded JSON (or its like).

    `from` is a mailbox; `to`, `cc` and `bcc` are lists of mailboxes, or one mailbox; `subject` and
    `message` are strings; `priority` is one of Priority's values. Empty stands for missing. Raises
    InvalidRequestError with every fault: first what is missing, in the order subject, message,
    receivers, from; then the rest.
    """
    if not isinstance(fields, Mapping):
        raise InvalidRequestError(Fault("", "The request must be a JSON object.", "type"))
    reader = _Reader(fields)
    sender = reader.mailbox("from")
    to, cc, bcc = reader.recipients()
    subject = reader.text("subject", _header_fault)
    message = reader.text("message", _body_fault)
    priority = reader.text("priority", _priority_fault)
    faults = [*_missing(fields), *reader.faults, *_unknown(fields)]
    if faults or sender is None:
        raise InvalidRequestError(*faults)
    return MailRequest(sender, to, cc, bcc, subject, message, Priority(priority or "normal"))


def _missing(fields: Mapping[str, object]) -> list[Fault]:
    """The required fields that are not there, in the order in which clients know them."""
    required = (
        ("subject", "subject", ("subject",)),
        ("message", "message", ("message",)),
        ("to", "receivers", RECIPIENT_FIELDS),
        ("from", "from", ("from",)),
    )
    return [
        Fault(f"/{field}", f"no {name} defined", "required")
        for field, name, any_of in required
        if all(_is_empty(fields.get(other)) for other in any_of)
    ]


def _unknown(fields: Mapping[str, object]) -> list[Fault]:
    unknown = [str(key) for key in fields if key not in FIELDS]
    return [
        Fault(_pointer_to(key), f"There is no field {_shown(key)}.", "unknown")
        for key in unknown[:_MAX_UNKNOWN]
    ]


def _pointer_to(key: str) -> str:
    """The JSON Pointer to `key`, cut short and in ASCII whatever the caller called it."""
    short = key[:_SHOWN_KEY].replace("~", "~0").replace("/", "~1")
    return "/" + quote(short, safe="~", errors="replace")


def _shown(key: str) -> str:
    return ascii(key if len(key) <= _SHOWN_KEY else f"{key[:_SHOWN_KEY]}…")


def _is_empty(value: object) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(_is_blank(item) for item in items)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _header_fault(text: str) -> tuple[str, str] | None:
    if _NOT_IN_HEADERS.search(text):
        return "Line breaks and control characters are not allowed here.", "character"
    if len(text.encode()) > MAX_HEADER_OCTETS:
        return f"This is longer than {MAX_HEADER_OCTETS} octets.", "too_long"
    return None


def _body_fault(text: str) -> tuple[str, str] | None:
    if _NOT_IN_BODIES.search(text):
        return "NUL and unpaired surrogates are not allowed here.", "character"
    return None


def _priority_fault(text: str) -> tuple[str, str] | None:
    if text not in Priority.values:
        return f"This must be one of {', '.join(Priority.values)}.", "choice"
    return None


class _Reader:
    """Reads field after field and gathers what is wrong with what is there."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self.faults: list[Fault] = []
        self._fields = fields
        self._seen: set[str] = set()

    def text(self, field: str, rule: _TextRule) -> str:
        value = self._fields.get(field)
        return "" if _is_empty(value) else self._text(f"/{field}", value, rule) or ""

    def mailbox(self, field: str) -> Mailbox | None:
        value = self._fields.get(field)
        return None if _is_empty(value) else self._mailbox(f"/{field}", value)

    def recipients(self) -> list[tuple[Mailbox, ...]]:
        return [tuple(self._recipients(field)) for field in RECIPIENT_FIELDS]

    def _recipients(self, field: str) -> Iterator[Mailbox]:
        for pointer, item in self._named(field):
            mailbox = self._mailbox(pointer, item)
            if mailbox is not None and mailbox.address not in self._seen:
                self._seen.add(mailbox.address)
                yield mailbox

    def _named(self, field: str) -> list[tuple[str, object]]:
        """The recipients of a field as they were given, each with its place."""
        value = self._fields.get(field)
        if _is_empty(value):
            return []
        if not isinstance(value, list):
            return [(f"/{field}", value)]
        if len(value) > MAX_RECIPIENTS:
            detail = f"At most {MAX_RECIPIENTS} recipients may be named here."
            self.faults.append(Fault(f"/{field}", detail, "too_many"))
            return []
        return [(f"/{field}/{index}", item) for index, item in enumerate(value)]

    def _mailbox(self, pointer: str, value: object) -> Mailbox | None:
        text = self._text(pointer, value, _header_fault)
        if text is None:
            return None
        try:
            return read_mailbox(text)
        except AddressError as error:
            self.faults.append(Fault(pointer, str(error), "address"))
            return None

    def _text(self, pointer: str, value: object, rule: _TextRule) -> str | None:
        """`value` if it is text that keeps the rule; else that is a fault."""
        if not isinstance(value, str):
            self.faults.append(Fault(pointer, "This must be a string.", "type"))
            return None
        if fault := rule(value):
            self.faults.append(Fault(pointer, *fault))
            return None
        return value
