"""Rendering one part, as the tests of the sandbox want it."""

from typing import Any

import pytest
from jinja2 import Template

from notifications.intake.errors import Fault, ImpossibleRequestError
from notifications.intake.templates.compiling import compile_part
from notifications.intake.templates.meter import Meter
from notifications.intake.templates.rendering import Rendered, render
from notifications.intake.templates.variables import read_variables


def compiled(source: str, part: str = "text") -> Template:
    """The template of one part; fails if it is refused."""
    template = compile_part(part, source)
    assert isinstance(template, Template), template
    return template


def rendered(source: str, part: str = "text", **variables: Any) -> str:
    """What one part says."""
    return str(getattr(_whole(source, part, variables), part))


def refused(source: str, part: str = "text") -> list[Fault]:
    """Why a source is refused before it is compiled."""
    faults = compile_part(part, source)
    assert isinstance(faults, list), f"{source!r} was compiled"
    return faults


def stopped(source: str, part: str = "text", **variables: Any) -> Fault:
    """The fault for which a rendering ends without a result."""
    with pytest.raises(ImpossibleRequestError) as caught:
        _whole(source, part, variables)
    (fault,) = caught.value.faults
    return fault


def _whole(source: str, part: str, variables: dict[str, Any]) -> Rendered:
    parts = {"subject": compiled("Hello", "subject"), "text": compiled("Hello")}
    parts[part] = compiled(source, part)
    return render(parts, read_variables(variables), Meter())
