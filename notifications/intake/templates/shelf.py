"""The templates at hand while a request is read: each is looked up and compiled once."""

from collections.abc import Mapping
from functools import lru_cache

import jinja2

from notifications.intake.errors import Fault, ImpossibleRequestError
from notifications.intake.reader import shown
from notifications.intake.templates.compiling import compile_part
from notifications.intake.templates.drafts import PARTS
from notifications.intake.templates.keeping import versions_of
from notifications.intake.templates.meter import MAX_STEPS, Meter
from notifications.intake.templates.rendering import Rendered, render
from notifications.intake.templates.variables import Record
from notifications.models import TemplateVersion, User

COMPILED = 256
"""Versions that a process keeps compiled."""

MAX_REQUEST_STEPS = 10 * MAX_STEPS
"""Of one request, however many messages it has."""


class Shelf:
    """One owner's templates, for one request."""

    def __init__(self, owner: User) -> None:
        self._owner = owner
        self._ids: dict[tuple[str, int | None], int | None] = {}
        self._steps = MAX_REQUEST_STEPS

    def find(self, reference: str, number: int | None) -> int:
        """The id of a template's version, or of its current one; one query the first time.

        `reference` is the template's id or name. Raises ImpossibleRequestError if there is none.
        """
        asked = (reference, number)
        if asked not in self._ids:
            found = versions_of(self._owner, reference, number).values_list("id", flat=True)
            self._ids[asked] = found.first()
        version_id = self._ids[asked]
        if version_id is None:
            raise ImpossibleRequestError(_unknown(reference, number))
        return version_id

    def render(self, version_id: int, variables: Record) -> Rendered:
        """What a version says. Raises ImpossibleRequestError where it cannot be rendered."""
        meter = Meter(min(MAX_STEPS, self._steps))
        try:
            return render(compiled(version_id), variables, meter)
        finally:
            self._steps -= meter.used


@lru_cache(maxsize=COMPILED)
def compiled(version_id: int) -> Mapping[str, jinja2.Template]:
    """A version's parts, compiled; it never changes, so neither do they.

    Raises ImpossibleRequestError for one that was stored under other rules than now hold.
    """
    version = TemplateVersion.objects.get(id=version_id)
    results = {
        part: compile_part(part, source) for part in PARTS if (source := getattr(version, part))
    }
    faults = [fault for result in results.values() if isinstance(result, list) for fault in result]
    if faults:
        detail = f"The template is not allowed: {faults[0].detail}"
        raise ImpossibleRequestError(Fault("/template", detail, "template"))
    return {part: made for part, made in results.items() if isinstance(made, jinja2.Template)}


def _unknown(reference: str, number: int | None) -> Fault:
    if number is None:
        detail = f"You have no template {shown(reference)}."
    else:
        detail = f"You have no template {shown(reference)} with a version {number}."
    return Fault("/template", detail, "unknown_template")
