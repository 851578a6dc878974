"""What a caller may ask for: the rules of a submission, in one place for every way in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notifications.intake.addresses import Mailbox
from notifications.intake.errors import Fault, ImpossibleRequestError, InvalidRequestError
from notifications.intake.options import OPTIONS
from notifications.intake.options.attachments import AttachedFile
from notifications.intake.options.html import text_of
from notifications.intake.options.times import check_times
from notifications.intake.reader import Reader, body_fault, header_fault, is_blank
from notifications.intake.templates.choice import FIELDS as TEMPLATE_FIELDS
from notifications.intake.templates.choice import UsedTemplate, read_choice, take
from notifications.intake.templates.shelf import Shelf
from notifications.models import OnUncertain, Priority, RecipientKind

MAX_RECIPIENTS = 50
"""In each of the three fields, repeated addresses included."""

RECIPIENT_FIELDS = tuple(kind.value for kind in RecipientKind)
_BASE = frozenset(("from", *RECIPIENT_FIELDS, "subject", "message", "priority"))
FIELDS = _BASE.union(OPTIONS, TEMPLATE_FIELDS)


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
    """The text; made of `html` where the caller gave none."""
    priority: Priority = Priority.NORMAL
    html: str = ""
    reply_to: tuple[Mailbox, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[AttachedFile, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    send_at: datetime | None = None
    expires_at: datetime | None = None
    on_uncertain: OnUncertain = OnUncertain.HOLD
    provider: str = ""
    """The provider that is asked first."""
    failover: bool = True
    """Whether others are asked after it."""
    template: UsedTemplate | None = None
    """What subject, message and HTML were rendered from."""
    is_test: bool = False
    """Whether it goes to the sandbox instead of a provider: not the caller's to say."""

    def recipients(self) -> Iterator[tuple[RecipientKind, int, Mailbox]]:
        """Every recipient with its field and its place there."""
        for kind in RecipientKind:
            for position, mailbox in enumerate(getattr(self, kind)):
                yield kind, position, mailbox


def read_mail_request(fields: object, shelf: Shelf | None = None) -> MailRequest:
    """Read a submission from decoded JSON (or its like); `shelf` has the owner's templates.

    `from` is a mailbox; `to`, `cc` and `bcc` are lists of mailboxes, or one mailbox; `subject` and
    `message` are strings: empty stands for missing. `priority` is one of Priority's values; the
    other fields are those of `OPTIONS`, and `template`, `template_version` and `variables`, by
    which the rest is made: null stands for missing. Raises InvalidRequestError
    with every fault: first what is missing, in the order subject, message, receivers, from; then
    the rest. What only is not possible now raises ImpossibleRequestError.
    """
    if not isinstance(fields, Mapping):
        raise InvalidRequestError(Fault("", "The request must be a JSON object.", "type"))
    reader = Reader()
    base = _read_base(reader, fields)
    has_more = bool(fields.keys() - _BASE)
    options = _read_options(reader, fields) if has_more else {}
    choice = read_choice(reader, fields) if has_more else None
    if "html" in options and base["message"] == "":
        base["message"] = _made_of_html(reader, options["html"])
    reader.unknown(fields, FIELDS)
    is_whole = all(base[name] for name in ("sender", "to", "subject", "message"))
    faults = reader.faults if is_whole else [*_missing(fields), *reader.faults]
    if faults:
        raise InvalidRequestError(*faults, *reader.obstacles)
    if reader.obstacles:
        raise ImpossibleRequestError(*reader.obstacles)
    if choice is not None:
        options["template"], rendered = take(choice, shelf)
        base |= {"subject": rendered.subject, "message": rendered.text}
        options["html"] = rendered.html
    return MailRequest(**base, **options)


def _read_base(reader: Reader, fields: Mapping[str, object]) -> dict[str, Any]:
    """What every submission has, by attribute; what is missing is empty."""
    seen: set[str] = set()
    given = {field: value for field, value in fields.items() if value != [] and not is_blank(value)}
    return {
        "sender": reader.mailbox("/from", given["from"]) if "from" in given else None,
        **{kind: tuple(_recipients(reader, kind, given, seen)) for kind in RECIPIENT_FIELDS},
        "subject": reader.text("/subject", given.get("subject", ""), header_fault),
        "message": reader.text("/message", given.get("message", ""), body_fault),
        "priority": _priority(reader, fields.get("priority")),
    }


def _priority(reader: Reader, value: object) -> Priority | None:
    if value is None:
        return Priority.NORMAL
    chosen = reader.choice("/priority", value, Priority.values)
    return None if chosen is None else Priority(chosen)


def _recipients(
    reader: Reader, field: str, given: Mapping[str, object], seen: set[str]
) -> Iterator[Mailbox]:
    """The recipients of a field that were not `seen` in another place."""
    for pointer, item in _named(reader, field, given):
        mailbox = reader.mailbox(pointer, item)
        if mailbox is not None and mailbox.address not in seen:
            seen.add(mailbox.address)
            yield mailbox


def _named(reader: Reader, field: str, given: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    """The recipients of a field as they were given, each with its place."""
    if field not in given:
        return ()
    value = given[field]
    if not isinstance(value, list):
        return ((f"/{field}", value),)
    return reader.items(f"/{field}", value, most=MAX_RECIPIENTS, what="recipients")


def _read_options(reader: Reader, fields: Mapping[str, object]) -> dict[str, Any]:
    """Whatever else it says, by attribute; what is missing or wrong is left out."""
    # in the table's order, so that faults are told in the same order whatever the caller's was
    options = {
        field: value
        for field, read in OPTIONS.items()
        if fields.get(field) is not None
        and (value := read(reader, f"/{field}", fields[field])) is not None
    }
    check_times(reader, send_at=options.get("send_at"), expires_at=options.get("expires_at"))
    if options.get("failover") is False and fields.get("provider") is None:
        reader.refuse("/failover", "Without failover a provider must be named.", "no_provider")
    return options


def _made_of_html(reader: Reader, html: str) -> str:
    text = text_of(html)
    if not text:
        told = "No text can be made of this; give one as `message`."
        reader.hinder("/html", told, "no_text")
    return text


def _missing(fields: Mapping[str, object]) -> list[Fault]:
    """The required fields that are not there, in the order in which clients know them."""
    required = (
        ("subject", "subject", ("subject", "template")),
        ("message", "message", ("message", "html", "template")),
        ("to", "receivers", RECIPIENT_FIELDS),
        ("from", "from", ("from",)),
    )
    return [
        Fault(f"/{field}", f"no {name} defined", "required")
        for field, name, any_of in required
        if all(_is_empty(fields.get(other)) for other in any_of)
    ]


def _is_empty(value: object) -> bool:
    return all(map(is_blank, value)) if isinstance(value, list) else is_blank(value)
