"""What an owner may say of a template: the rules of its name and its sources."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from notifications.intake.errors import Fault, ImpossibleRequestError, InvalidRequestError
from notifications.intake.reader import Reader, TextRule, body_fault, header_fault
from notifications.intake.templates.compiling import compile_part

MAX_NAME = 100
MAX_DESCRIPTION = 500

MAX_SUBJECT_SOURCE = 1000
MAX_BODY_SOURCE = 200_000
"""Characters; what is rendered from them may be longer."""

UUID_FORM = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NAME_FORM = rf"(?!{UUID_FORM}$)[a-z0-9][a-z0-9._-]{{0,{MAX_NAME - 1}}}"
"""None that could be an id: a template is named by either."""

PARTS = ("subject", "text", "html")

NAME = re.compile(NAME_FORM)
_NAME_TOLD = (
    f"A name has up to {MAX_NAME} of a–z, 0–9, dot, underscore and hyphen, begins with a letter "
    "or digit, and is no UUID."
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A template as its owner wants it; what is None stays as it is."""

    name: str | None = None
    description: str | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    """Of the bodies one may be empty."""


def read_new_template(fields: object) -> Draft:
    """Read a whole template from decoded JSON (or its like).

    Raises InvalidRequestError with every fault, and ImpossibleRequestError with those in the
    sources, each with its part and line.
    """
    return _read(fields, is_new=True)


def read_changes(fields: object) -> Draft:
    """Read what is to be changed: any of a template's fields, null to remove a body.

    Raises as `read_new_template`.
    """
    return _read(fields, is_new=False)


def _read(fields: object, *, is_new: bool) -> Draft:
    if not isinstance(fields, Mapping):
        raise InvalidRequestError(Fault("", "The request must be a JSON object.", "type"))
    reader = Reader()
    given = {
        field: None if _removes(field, fields[field], is_new) else read(reader, fields[field])
        for field, read in _READERS.items()
        if field in fields
    }
    reader.unknown(fields, _READERS)
    faults = [*(_missing(fields) if is_new else ()), *reader.faults]
    if faults:
        raise InvalidRequestError(*faults)
    draft = Draft(**{field: value or "" for field, value in given.items()})
    check_sources(draft)
    return draft


def check_sources(draft: Draft) -> None:
    """Raise ImpossibleRequestError unless every source that is given can be compiled."""
    sources = ((part, getattr(draft, part)) for part in PARTS)
    results = [compile_part(part, source) for part, source in sources if source]
    faults = [fault for result in results if isinstance(result, list) for fault in result]
    if faults:
        raise ImpossibleRequestError(*faults)


def _removes(field: str, value: object, is_new: bool) -> bool:
    return value is None and not is_new and field in ("description", "text", "html")


def _missing(fields: Mapping[str, object]) -> list[Fault]:
    faults = [
        Fault(f"/{field}", f"A template needs a {field}.", "required")
        for field in ("name", "subject")
        if field not in fields
    ]
    if "text" not in fields and "html" not in fields:
        faults.append(Fault("/text", "A template needs a text, an HTML body, or both.", "required"))
    return faults


def _name(reader: Reader, value: object) -> str | None:
    return reader.matching("/name", value, NAME, _NAME_TOLD)


def _description(reader: Reader, value: object) -> str | None:
    return reader.text("/description", value, _at_most(MAX_DESCRIPTION, header_fault))


def _source(part: str, most: int) -> Callable[[Reader, object], str | None]:
    rule = _at_most(most, body_fault)
    return lambda reader, value: reader.filled(f"/{part}", value, rule)


def _at_most(characters: int, rule: TextRule) -> TextRule:
    def checked(text: str) -> tuple[str, str] | None:
        if len(text) > characters:
            return f"This is longer than {characters} characters.", "too_long"
        return rule(text)

    return checked


_READERS: Mapping[str, Callable[[Reader, object], str | None]] = {
    "name": _name,
    "description": _description,
    "subject": _source("subject", MAX_SUBJECT_SOURCE),
    "text": _source("text", MAX_BODY_SOURCE),
    "html": _source("html", MAX_BODY_SOURCE),
}
