"""A submission's `template`: which one is to be sent, and with what."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from notifications.intake.errors import Fault, ImpossibleRequestError, InvalidRequestError
from notifications.intake.reader import Reader, header_fault, is_blank
from notifications.intake.templates.preview import read_number
from notifications.intake.templates.rendering import Rendered
from notifications.intake.templates.shelf import Shelf
from notifications.intake.templates.variables import Record, read_variables

FIELDS = ("template", "template_version", "variables")

REPLACED = ("subject", "message", "html")
"""What the template says in the caller's place."""


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """What was asked for."""

    reference: str
    """A template's id or name."""
    number: int | None
    """A version's; None for the current one."""
    variables: Record


@dataclass(frozen=True, slots=True)
class UsedTemplate:
    """What a message was made of."""

    version_id: int
    asked: str
    """The same for submissions that ask for the same; the template may have changed meanwhile."""


def read_choice(reader: Reader, fields: Mapping[str, object]) -> TemplateChoice | None:
    """Read the fields about a template; None without one, and where they are of no use."""
    if fields.get("template") is None:
        _refuse_given(reader, fields, FIELDS, "This belongs to a template, and none is named.")
        return None
    _refuse_given(reader, fields, REPLACED, "The template says this; give the one or the other.")
    reference = reader.filled("/template", fields["template"], header_fault)
    number = read_number(reader, "/template_version", fields.get("template_version"))
    variables = _variables(reader, fields.get("variables"))
    if reference is None or variables is None:
        return None
    return TemplateChoice(reference, number, variables)


def take(choice: TemplateChoice, shelf: Shelf | None) -> tuple[UsedTemplate, Rendered]:
    """Render what was chosen. Raises ImpossibleRequestError where there is none, or it cannot be.

    Without a shelf there are no templates.
    """
    if shelf is None:
        raise ImpossibleRequestError(
            Fault("/template", "There are no templates here.", "unknown_template")
        )
    version_id = shelf.find(choice.reference, choice.number)
    rendered = shelf.render(version_id, choice.variables)
    return UsedTemplate(version_id, _digest(choice)), rendered


def _refuse_given(
    reader: Reader, fields: Mapping[str, object], unwanted: tuple[str, ...], why: str
) -> None:
    for field in unwanted:
        if not is_blank(fields.get(field)):
            reader.refuse(f"/{field}", why, "template")


def _variables(reader: Reader, value: object) -> Record | None:
    try:
        return read_variables(value)
    except InvalidRequestError as error:
        reader.faults.extend(error.faults)
        return None


def _digest(choice: TemplateChoice) -> str:
    asked = json.dumps([choice.reference, choice.number, choice.variables], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()
