"""How much work a rendering may do, counted while it runs.

No clock is asked: the same template with the same variables ends the same way on every machine. A
step is about a microsecond, so a rendering is over within a second or so, whatever it is.
"""

from typing import cast

from jinja2.runtime import Context

from notifications.intake.templates.variables import Record, Rows

MAX_STEPS = 500_000
"""Of one rendering, all its parts together. A step is one node of the template's syntax evaluated
once, or `_OCTETS_A_STEP` of a value compared or filtered."""

METER = "the meter"
"""Under this name the meter lies among the variables; no template can write it."""

_OCTETS_A_STEP = 16


class TooMuchWorkError(Exception):
    """The rendering was given up."""


class Meter:
    """Counts the steps of one rendering."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._most = steps
        self.used = 0

    def charge(self, steps: int) -> None:
        """Count `steps`, before they are taken. Raises TooMuchWorkError once it is too many."""
        self.used += steps
        if self.used > self._most:
            raise TooMuchWorkError


def meter_of(context: Context) -> Meter:
    """The meter of the rendering that `context` belongs to."""
    return cast("Meter", context.resolve(METER))


def weight_of(value: object) -> int:
    """How many steps it takes to look at the whole of `value`."""
    match value:
        case Record() | Rows():
            return 1 + value.size // _OCTETS_A_STEP
        case list():
            # written in the template itself
            return 1 + sum(map(weight_of, value))
        case str():
            return 1 + len(value) // _OCTETS_A_STEP
    return 1
