"""From a template's source to code: parsed, looked at, metered, and only then compiled."""

import itertools

from jinja2 import Template, TemplateSyntaxError, nodes

from notifications.intake.errors import Fault
from notifications.intake.templates.grammar import Flaw, flaws_of
from notifications.intake.templates.sandbox import MeterLoops, make_environment

MAX_TOKENS = 10_000
"""Names, operators, spaces and the like within the tags of one part."""

_MAX_FAULTS = 10

_environment = make_environment()


class _NotParsedError(Exception):
    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.detail)
        self.flaw = flaw


def compile_part(part: str, source: str) -> Template | list[Fault]:
    """Compile a template's `subject`, `text` or `html`, or tell why it cannot be.

    The faults have the part for their pointer and the line in the source. Nothing of `source` is
    compiled, and nothing of it evaluated, before all of it was found to be allowed.
    """
    try:
        tree = _parse(source)
    except _NotParsedError as error:
        return [_fault(part, error.flaw)]
    flaws = sorted(itertools.islice(flaws_of(tree), _MAX_FAULTS), key=lambda flaw: flaw.line)
    if flaws:
        return [_fault(part, flaw) for flaw in flaws]
    metered = MeterLoops().visit(tree)
    code = _environment.compile(metered, name=part, filename=part)
    return Template.from_code(_environment, code, {})


def allowed_tree(source: str) -> nodes.Template | None:
    """What `source` is made of, or None if it could not be compiled."""
    try:
        tree = _parse(source)
    except _NotParsedError:
        return None
    return None if next(flaws_of(tree), None) else tree


def _parse(source: str) -> nodes.Template:
    try:
        for place, (line, _, _) in enumerate(_environment.lex(source)):
            if place >= MAX_TOKENS:
                raise _NotParsedError(Flaw(line, "There is too much within tags."))
        return _environment.parse(source)
    except TemplateSyntaxError as error:
        raise _NotParsedError(
            Flaw(error.lineno, error.message or "This cannot be read.")
        ) from error
    except RecursionError:
        raise _NotParsedError(Flaw(1, "This is nested too deeply.")) from None
    except ValueError:
        # a number of more digits than Python reads
        raise _NotParsedError(Flaw(1, "A number is too long.")) from None


def _fault(part: str, flaw: Flaw) -> Fault:
    return Fault(f"/{part}", f"Line {flaw.line}: {flaw.detail}", "template", line=flaw.line)
