"""What templates say: variables, loops, filters, and the escaping of each part."""

from typing import Any

import pytest

from notifications.intake.errors import ImpossibleRequestError, InvalidRequestError
from notifications.intake.templates.meter import Meter
from notifications.intake.templates.rendering import render
from notifications.intake.templates.variables import read_variables
from notifications.intake.templates.words import FILTERS, TESTS
from tests.intake.templates.rendered import compiled, refused, rendered, stopped

MARKUP = "<b>\"Ada\" & 'Bob'</b>"


def test_html_is_escaped() -> None:
    escaped = "&lt;b&gt;&#34;Ada&#34; &amp; &#39;Bob&#39;&lt;/b&gt;"
    assert rendered("<p>{{ x }}</p>", "html", x=MARKUP) == f"<p>{escaped}</p>"
    assert rendered('<a title="{{ x|upper }}">', "html", x='"') == '<a title="&#34;">'
    assert rendered("{{ '<' }}{{ x|join('<') }}", "html", x=[1, 2]) == "&lt;1&lt;2"
    assert rendered("{{ x|escape }}", "html", x="<") == "&lt;"


def test_text_and_subject_are_not_escaped() -> None:
    assert rendered("{{ x }}", "text", x=MARKUP) == MARKUP
    assert rendered("{{ x }}", "subject", x=MARKUP) == MARKUP


@pytest.mark.parametrize(
    "line_break",
    ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\t", "\x7f"],
)
def test_no_line_break_comes_out_of_a_subject(line_break: str) -> None:
    value = f"{line_break}Hello{line_break * 2}Bcc: eve@example.org{line_break}"
    assert rendered("{{ x }}", "subject", x=value) == "Hello Bcc: eve@example.org"
    assert rendered(f"a{line_break}b{{# c #}}", "subject") == "a b"


def test_a_constant_cannot_break_a_subject_either() -> None:
    assert rendered(r"{{ 'a\r\nBcc: eve@example.org' }}", "subject") == "a Bcc: eve@example.org"


def test_a_text_keeps_its_lines() -> None:
    assert rendered("a\n\n  b {{ x }}\n", x="1\n2") == "a\n\n  b 1\n2\n"


def test_members_items_and_loops() -> None:
    source = (
        "{% for line in order.items %}{{ loop.index }}/{{ loop.length }} {{ line.name }}"
        "{% if not loop.last %}, {% endif %}{% else %}nothing{% endfor %}"
    )
    lines = [{"name": "tea"}, {"name": "milk"}]
    # `items` is a method of Python's dictionaries; here it is the member of that name
    assert rendered(source, order={"items": lines}) == "1/2 tea, 2/2 milk"
    assert rendered(source, order={"items": []}) == "nothing"
    assert (
        rendered("{{ x[0].a }}{{ x[-1]['a'] }}{{ y[0] }}", x=[{"a": 1}, {"a": 2}], y="Z") == "12Z"
    )
    assert rendered("{% for k in x %}{{ k }}={{ x[k] }} {% endfor %}", x={"a": 1, "b": 2}) == (
        "a=1 b=2 "
    )


def test_two_loops_within_each_other() -> None:
    source = "{% for a in x %}{% for b in a.y if b != 2 %}{{ b }}{% endfor %};{% endfor %}"
    assert rendered(source, x=[{"y": [1, 2, 3]}, {"y": []}]) == "13;;"


def test_a_long_list_fits() -> None:
    source = (
        "{% for a in x %}{{ a.name|upper }}{% if a.gift %} {{ a.price }}{% endif %}\n{% endfor %}"
    )
    rows = [{"name": f"item {number}", "price": 9.5, "gift": True} for number in range(1000)]
    assert rendered(source, x=rows).count("\n") == 1000


def test_conditions() -> None:
    source = "{% if n > 1 and not off %}many{% elif n == 1 or off %}one{% else %}none{% endif %}"
    assert [rendered(source, n=n, off=False) for n in (0, 1, 2)] == ["none", "one", "many"]
    assert rendered("{{ 'a' if x in ['b', 'c'] else 'd' }}{{ 'e' if x }}", x="b") == "ae"
    assert rendered("{{ 'below' if x < -1 else 'above' }}", x=-2) == "below"


def test_json_s_values_are_written_as_json_has_them() -> None:
    source = "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }}|{{ true }}{{ none }}"
    for part in ("text", "html"):
        output = rendered(source, part, a=True, b=False, c=None, d=1, e=2.5)
        assert output == "true false  1 2.5|true"


FILTERED: dict[str, tuple[object, str]] = {
    "capitalize": ("aDA", "Ada"),
    "d('x')": (None, ""),
    "d('x', true)": ("", "x"),
    "default('x', boolean=true)": (0, "x"),
    "e": ("<", "&lt;"),
    "escape": ("<", "&lt;"),
    "first": (["a", "b"], "a"),
    "join(', ')": (["a", 1, None], "a, 1, "),
    "last": ("ab", "b"),
    "length": ([1, 2], "2"),
    "lower": ("ADA", "ada"),
    "title": ("it's ada's", "It's Ada's"),
    "trim": (" a ", "a"),
    "truncate(9)": ("hello big world", "hello..."),
    "truncate(9, true)": ("hello big world", "hello ..."),
    "truncate(3, end='')": ("abcd", "abc"),
    "truncate(20)": ("hello big world", "hello big world"),
    "upper": ("ada", "ADA"),
    "urlencode": ("a b&c/é", "a%20b%26c/%C3%A9"),
}


@pytest.mark.parametrize(("filter_", "case"), FILTERED.items())
def test_a_filter(filter_: str, case: tuple[object, str]) -> None:
    value, expected = case
    assert rendered(f"-{{{{ x|{filter_} }}}}", x=value) == f"-{expected}"


def test_every_filter_is_tested() -> None:
    assert {name.partition("(")[0] for name in FILTERED} | {"default"} == set(FILTERS)


TESTED: dict[str, tuple[object, object]] = {
    "true": (True, 1),
    "false": (False, None),
    "none": (None, 0),
    "odd": (1, 2),
    "even": (2, 1),
    "defined": (0, ...),
    "undefined": (..., 0),
}


@pytest.mark.parametrize(("test", "values"), TESTED.items())
def test_a_test(test: str, values: tuple[object, object]) -> None:
    given: list[dict[str, Any]] = [{} if value is ... else {"x": value} for value in values]
    outcomes = [rendered(f"{{{{ x is {test} }}}}", **variables) for variables in given]
    assert outcomes == ["true", "false"]


def test_every_test_is_tested() -> None:
    assert set(TESTED) == set(TESTS)


@pytest.mark.parametrize(
    ("source", "variables", "pointer", "name"),
    [
        ("{{ name }}", {}, "/variables/name", "name"),
        ("{% if name %}{% endif %}", {}, "/variables/name", "name"),
        ("{% if name == 1 %}{% endif %}", {}, "/variables/name", "name"),
        ("{{ name is even }}", {}, "/variables/name", "name"),
        ("{% for a in rows %}{% endfor %}", {}, "/variables/rows", "rows"),
        ("{{ user.name }}", {"user": {}}, "/variables/user/name", "user.name"),
        ("{{ user.name.first }}", {"user": {}}, "/variables/user/name", "user.name"),
        ("{{ user['a/b'] }}", {"user": {}}, "/variables/user/a~1b", "user.a~1b"),
        ("{{ rows[1] }}", {"rows": [1]}, "/variables/rows/1", "rows.1"),
        (
            "{% for a in rows %}{{ a.b }}{% endfor %}",
            {"rows": [{"b": 1}, {}]},
            "/variables/rows/1/b",
            "rows.1.b",
        ),
    ],
)
def test_a_missing_variable_is_named(
    source: str, variables: dict[str, Any], pointer: str, name: str
) -> None:
    fault = stopped(f"\n\n{source}", "html", **variables)
    assert (fault.pointer, fault.code, fault.line) == (pointer, "missing_variable", 3)
    assert fault.detail == f"The variable {name} is missing (html, line 3)."


@pytest.mark.parametrize("filter_", sorted(set(FILTERS) - {"d", "default"}))
def test_no_filter_makes_something_of_what_is_missing(filter_: str) -> None:
    assert stopped(f"{{{{ name|{filter_} }}}}").code == "missing_variable"


def test_what_is_missing_can_be_allowed_for() -> None:
    assert rendered("{{ user.name|default('friend') }}", user={}) == "friend"
    assert rendered("{{ user.address.city|d('nowhere') }}", user={}) == "nowhere"
    assert rendered("{% if name is defined %}Dear {{ name }}{% else %}Hello{% endif %}") == "Hello"


def test_each_part_tells_what_it_misses_and_none_twice() -> None:
    parts = {
        "subject": compiled("{{ a }}", "subject"),
        "text": compiled("\n{{ b }}{{ c }}", "text"),
        "html": compiled("{{ a }}", "html"),
    }
    with pytest.raises(ImpossibleRequestError) as caught:
        render(parts, read_variables({}), Meter())
    assert [(fault.pointer, fault.line) for fault in caught.value.faults] == [
        ("/variables/a", 1),
        ("/variables/b", 2),
    ]


@pytest.mark.parametrize("value", [[], {}, {"a": 1}])
def test_only_texts_and_numbers_are_written_out(value: object) -> None:
    fault = stopped("a\n{{ x.y }}", x={"y": value})
    assert (fault.pointer, fault.code, fault.line) == ("/variables/x/y", "unfit_variable", 2)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ x|join }}", "text"),
        ("{{ x|first }}", 1),
        ("{{ x|last }}", {}),
        ("{{ x|length }}", None),
        ("{{ x|truncate(x) }}", "text"),
        ("{{ x is odd }}", 1.5),
        ("{% for a in x %}{% endfor %}", 7),
        ("{{ x|upper }}", []),
    ],
)
def test_a_value_of_the_wrong_kind_is_told(source: str, value: object) -> None:
    assert stopped(source, x=value).code == "unfit_variable"


@pytest.mark.parametrize(("source", "code"), [("{{ x }}", "empty"), ("{{ y }}", "too_long")])
def test_a_subject_is_neither_empty_nor_too_long(source: str, code: str) -> None:
    assert stopped(source, "subject", x=" \n", y="é" * 499 + "a").code == code
    assert len(rendered("{{ y }}", "subject", y="é" * 499)) == 499


def test_a_message_must_say_something() -> None:
    assert stopped("{% if x %}Hello{% endif %}\n", x=False).code == "empty"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("{{ x", 1),
        ("\n{% if x %}", 2),
        ("{% if x %}\n\n{{ y }", 3),
        ("a\n{{ 1 + 1 }}\n", 2),
        ("a\n\n\n{{ x|nope }}", 4),
        ("{{ x\n}}{{\nx|join(1, 2, 3) }}", 3),
        ("\n\n{% autoescape false %}{% endautoescape %}", 3),
        ("\n\n{# never ends", 3),
    ],
)
@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_a_fault_in_a_source_has_its_part_and_line(part: str, source: str, line: int) -> None:
    (fault,) = refused(source, part)
    assert (fault.pointer, fault.code, fault.line) == (f"/{part}", "template", line)
    assert fault.detail.startswith(f"Line {line}: ")


def test_every_fault_of_a_source_is_told() -> None:
    faults = refused("{{ a + b }}\n{{ x|nope }}\n{% set a = 1 %}")
    assert [fault.line for fault in faults] == [1, 2, 3]


@pytest.mark.parametrize(
    ("variables", "pointer", "code"),
    [
        ([], "/variables", "type"),
        ("text", "/variables", "type"),
        (True, "/variables", "type"),
        ({"a": "x" * 200 * 1024}, "/variables", "too_large"),
        ({"a" * 200 * 1024: 1}, "/variables", "too_large"),
        ({"a": ["é" * 1000] * 110}, "/variables", "too_large"),
        ({"a": {"b": [0] * 1001}}, "/variables/a/b", "too_many"),
        ({"a": {str(number): 0 for number in range(1001)}}, "/variables/a", "too_many"),
        ({"a": [[[[[[[[]]]]]]]]}, "/variables/a/0/0/0/0/0/0/0", "too_deep"),
        ({"a": ["b", "\0"]}, "/variables/a/1", "character"),
        ({"a": "\ud800"}, "/variables/a", "character"),
        ({"\ud800": 1}, "/variables", "character"),
        ({"a": 10**4000}, "/variables/a", "too_large"),
        ({"a": {1}}, "/variables/a", "type"),
        ({"a": {1: 1}}, "/variables/a", "type"),
    ],
)
def test_variables_that_break_a_rule_are_refused(
    variables: object, pointer: str, code: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_variables(variables)
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code) == (pointer, code)


def test_variables_at_the_limits_are_taken() -> None:
    assert read_variables(None) == read_variables({}) == {}
    deep: dict[str, object] = {"a": [[[[[[[]]]]]]]}
    wide = {"a": [0] * 1000, **{str(number): 0 for number in range(999)}}
    long = {"a": "x" * (200 * 1024 - 20), "b": 10**5}
    for variables in (deep, wide, long, {"a": 10**3000}):
        assert read_variables(variables) == variables
