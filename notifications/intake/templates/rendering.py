"""Rendering: a compiled template and variables in, a subject and bodies out, within bounds."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import Template, UndefinedError

from notifications.intake.errors import Fault, ImpossibleRequestError
from notifications.intake.options.html import text_of
from notifications.intake.reader import MAX_HEADER_OCTETS, is_blank
from notifications.intake.templates.meter import METER, Meter, TooMuchWorkError
from notifications.intake.templates.variables import POINTER, Record, pointer_of
from notifications.intake.templates.words import UnfitValueError

MAX_OUTPUT_OCTETS = 1024 * 1024
"""Of one part."""

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a template says with some variables."""

    subject: str
    text: str
    """Made of the HTML where the template has no text."""
    html: str
    """Empty where the template has none."""


class _TooLongError(Exception):
    """The output was cut off."""


def render(parts: Mapping[str, Template], variables: Record, meter: Meter) -> Rendered:
    """Render a template's parts, each by its name (`subject`, `text`, `html`).

    A subject comes out as one line: breaks, tabs and runs of spaces become single spaces. Raises
    ImpossibleRequestError with a fault for each part that cannot be rendered, one for a variable
    that several of them miss.
    """
    given = {**variables, METER: meter}
    outputs: dict[str, str] = {}
    faults: dict[str, Fault] = {}
    for part, template in parts.items():
        try:
            outputs[part] = "".join(_limited(template.generate(given)))
        except (
            UndefinedError,
            UnfitValueError,
            TooMuchWorkError,
            _TooLongError,
            TypeError,
        ) as error:
            fault = _fault_of(part, error)
            faults.setdefault(fault.pointer, fault)
    if faults:
        raise ImpossibleRequestError(*faults.values())
    return _checked(outputs)


def _limited(chunks: Iterator[str]) -> Iterator[str]:
    octets = 0
    for chunk in chunks:
        octets += len(chunk.encode())
        if octets > MAX_OUTPUT_OCTETS:
            raise _TooLongError
        yield chunk


def _checked(outputs: Mapping[str, str]) -> Rendered:
    subject = " ".join(_CONTROLS.sub(" ", outputs["subject"]).split())
    if not subject:
        raise _impossible("The subject comes out empty.", "empty")
    if len(subject.encode()) > MAX_HEADER_OCTETS:
        detail = f"The subject comes out longer than {MAX_HEADER_OCTETS} octets."
        raise _impossible(detail, "too_long")
    text, html = outputs.get("text", ""), outputs.get("html", "")
    if is_blank(text) and is_blank(html):
        raise _impossible("Text and HTML come out empty.", "empty")
    return Rendered(subject, text if not is_blank(text) else _text_of(html), html)


def _text_of(html: str) -> str:
    text = text_of(html)
    if not text:
        raise _impossible("No text can be made of the HTML; give the template one.", "no_text")
    return text


def _impossible(detail: str, code: str) -> ImpossibleRequestError:
    return ImpossibleRequestError(Fault(POINTER, detail, code))


def _fault_of(part: str, error: Exception) -> Fault:
    line = _line_of(part, error)
    where = f"{part}, line {line}"
    match error:
        case UndefinedError():
            pointer = error.message or POINTER
            name = pointer.removeprefix(f"{POINTER}/").replace("/", ".")
            return Fault(
                pointer, f"The variable {name} is missing ({where}).", "missing_variable", line
            )
        case UnfitValueError():
            return Fault(pointer_of(error.path), f"{error} ({where}).", "unfit_variable", line)
        case TooMuchWorkError():
            detail = f"With these variables the template is too much work ({where})."
            return Fault(POINTER, detail, "too_much_work", line)
        case _TooLongError():
            detail = f"The {part} comes out longer than {MAX_OUTPUT_OCTETS} octets."
            return Fault(POINTER, detail, "too_long")
    detail = f"Values of different kinds are compared ({where})."
    return Fault(POINTER, detail, "unfit_variable", line)


def _line_of(part: str, error: Exception) -> int:
    """The line of the template at which `error` came up; jinja2 has put it into the traceback."""
    line, frame = 1, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == part:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line
