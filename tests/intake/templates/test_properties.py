"""Whatever the sandbox is given, a result within bounds comes out, or an error of ours."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Template

from notifications.intake.errors import RefusedRequestError
from notifications.intake.templates.compiling import compile_part
from notifications.intake.templates.grammar import MAX_NUMBER
from notifications.intake.templates.meter import Meter
from notifications.intake.templates.rendering import MAX_OUTPUT_OCTETS, Rendered, render
from notifications.intake.templates.variables import read_variables
from notifications.intake.templates.words import FILTERS, TESTS

NAMES = st.sampled_from(["a", "b", "a.b", "a[0]", "loop.index", "nothing"])
CONSTANTS = st.one_of(
    st.integers(-MAX_NUMBER, MAX_NUMBER).map(str),
    st.floats(0, 1e6).map(lambda number: f"{number:f}"),
    st.sampled_from(["''", "'x'", '"<é>"', r"'\n'", "true", "none"]),
)


def _calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of expressions."""
    compared = st.sampled_from(["==", "!=", "<", ">=", "in", "not in", "and", "or"])
    return st.one_of(
        st.builds("({}|{})".format, inner, st.sampled_from(sorted(FILTERS))),
        st.builds("({}|{}({}))".format, inner, st.sampled_from(sorted(FILTERS)), inner),
        st.builds("({}|truncate({}, {}, {}))".format, inner, inner, inner, inner),
        st.builds("({} is {})".format, inner, st.sampled_from(sorted(TESTS))),
        st.builds("({} {} {})".format, inner, compared, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({}[{}])".format, inner, inner),
    )


EXPRESSIONS = st.recursive(NAMES | CONSTANTS, _calls, max_leaves=8)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, inner, inner),
        st.builds("{{% for {} in {} %}}{}{{% endfor %}}".format, NAMES, NAMES, inner),
        st.builds("{{% for a in b if {} %}}{}{{% endfor %}}".format, EXPRESSIONS, inner),
    )


TEXTS = st.text(max_size=20)
SOURCES = st.recursive(
    TEXTS | EXPRESSIONS.map("{{{{ {} }}}}".format) | EXPRESSIONS.map("{{{{- {} -}}}}".format),
    _blocks,
    max_leaves=6,
)
_TOKENS = (
    "{{ }} {% %} {# #} - if for in a b else endif endfor raw endraw set = ' ( ) [ ] | . 1 \\ é"
)
FRAGMENTS = st.lists(st.sampled_from([*_TOKENS.split(), " ", "\n"]), max_size=30).map("".join)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "items", "the meter"]), inner, max_size=3)
    ),
    max_leaves=10,
)
VARIABLES = st.fixed_dictionaries({"a": VALUES, "b": VALUES}, optional={"the meter": VALUES})


def _outcome(
    parts: dict[str, Template], variables: dict[str, Any]
) -> Rendered | RefusedRequestError:
    try:
        return render(parts, read_variables(variables), Meter(20_000))
    except RefusedRequestError as error:
        return error


def _ends_well(part: str, source: str, variables: dict[str, Any]) -> None:
    compiled = compile_part(part, source)
    if not isinstance(compiled, Template):
        assert compiled
        assert all(fault.pointer == f"/{part}" and fault.line for fault in compiled)
        return
    hello = compile_part("subject", "Hello")
    assert isinstance(hello, Template)
    result = _outcome({"subject": hello, part: compiled}, variables)
    if isinstance(result, RefusedRequestError):
        assert all(fault.pointer.startswith("/variables") for fault in result.faults)
        assert all(len(fault.detail) < 300 for fault in result.faults)
        return
    output = getattr(result, part)
    assert len(output.encode()) <= MAX_OUTPUT_OCTETS
    if part == "subject":
        assert output.isprintable() or not set(output) & set("\r\n\x0b\x0c\x1c\x85\u2028\u2029")


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["subject", "text", "html"]), SOURCES, VARIABLES)
def test_templates_of_the_language(part: str, source: str, variables: dict[str, Any]) -> None:
    _ends_well(part, source, variables)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["subject", "text", "html"]), FRAGMENTS | st.text(), VARIABLES)
def test_templates_of_no_language(part: str, source: str, variables: dict[str, Any]) -> None:
    _ends_well(part, source, variables)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, VARIABLES)
def test_html_never_gets_a_tag_from_a_variable(expression: str, variables: dict[str, Any]) -> None:
    compiled = compile_part("html", f"{{{{ {expression} }}}}.")
    hello = compile_part("subject", "Hello")
    if not isinstance(compiled, Template) or not isinstance(hello, Template):
        return
    result = _outcome({"subject": hello, "html": compiled}, variables)
    assert isinstance(result, RefusedRequestError) or not set(result.html) & set("<>\"'")
