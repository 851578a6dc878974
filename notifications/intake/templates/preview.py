"""What a template would say, without sending it."""

from collections.abc import Mapping
from dataclasses import dataclass

from notifications.intake.errors import Fault, ImpossibleRequestError, InvalidRequestError
from notifications.intake.reader import Reader
from notifications.intake.templates.keeping import named, versions_of
from notifications.intake.templates.meter import Meter
from notifications.intake.templates.rendering import Rendered, render
from notifications.intake.templates.shelf import compiled
from notifications.intake.templates.variables import Record, read_variables
from notifications.models import Template, User

MAX_NUMBER = 2**31 - 1
"""Of a version."""


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """Which version is to be shown, and with what."""

    variables: Record
    number: int | None = None
    """None for the current version."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a version says with some variables."""

    number: int
    rendered: Rendered


def read_preview(fields: object) -> PreviewRequest:
    """Read what a preview is asked for from decoded JSON. Raises InvalidRequestError."""
    if not isinstance(fields, Mapping):
        raise InvalidRequestError(Fault("", "The request must be a JSON object.", "type"))
    reader = Reader()
    number = read_number(reader, "/version", fields.get("version"))
    reader.unknown(fields, ("variables", "version"))
    if reader.faults:
        raise InvalidRequestError(*reader.faults)
    return PreviewRequest(read_variables(fields.get("variables")), number)


def read_number(reader: Reader, pointer: str, value: object) -> int | None:
    """The number of a version; null stands for the current one."""
    if value is None:
        return None
    # JSON does not tell 3 and 3.0 apart
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MAX_NUMBER:
        return number
    reader.refuse(pointer, f"This must be a whole number from 1 to {MAX_NUMBER}.", "number")
    return None


def preview(*, owner: User, reference: str, request: PreviewRequest) -> Preview | None:
    """Render `owner`'s template of that id or name; None if there is none.

    Raises ImpossibleRequestError where there is no such version, or it cannot be rendered.
    """
    version = versions_of(owner, reference, request.number).first()
    if version is not None:
        rendered = render(compiled(version.id), request.variables, Meter())
        return Preview(version.number, rendered)
    if not Template.objects.owned_by(owner).filter(named(reference)).exists():
        return None
    detail = f"The template has no version {request.number}."
    raise ImpossibleRequestError(Fault("/version", detail, "unknown_version"))
