"""Templates written to break out, or to take a machine's time and memory: none gets anywhere."""

import tracemalloc
from typing import Any

import pytest

from tests.intake.templates.rendered import refused, rendered, stopped

REFUSED = {
    "a text times a number": "{{ 'x' * 10**9 }}",
    "a list times a number": "{{ [1] * 10**9 }}",
    "a power": "{{ 9**9**9 }}",
    "an old format": "{{ '%1000000000d' % 1 }}",
    "a new format": "{{ '{:1000000000}'.format(1) }}",
    "a mapped format": "{{ '{a.__class__}'.format_map(x) }}",
    "a sum of texts": "{{ a + a + a + a }}",
    "a chain of texts": "{{ a ~ a ~ a ~ a }}",
    "a division": "{{ 1 / 0 }}",
    "a range": "{% for i in range(1000000000) %}x{% endfor %}",
    "an endless generator": "{{ cycler(1).next() }}",
    "lorem ipsum": "{{ lipsum(n=100000) }}",
    "a namespace": "{% set ns = namespace(x='x') %}",
    "a doubled assignment": "{% set a = 'x' %}{% set a = a ~ a %}",
    "a block assignment": "{% set a %}{{ a }}{{ a }}{% endset %}",
    "a scope": "{% with a = 'x' %}{{ a }}{% endwith %}",
    "an endless macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a call block": "{% call m() %}{% endcall %}",
    "an included file": "{% include '/etc/passwd' %}",
    "an imported file": "{% import 'os' as os %}",
    "an import from a file": "{% from 'os' import system %}",
    "a base template": "{% extends 'admin/base.html' %}",
    "a block": "{% block x %}{% endblock %}",
    "a recursive loop": "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
    "three loops": "{% for a in x %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}"
    "{% endfor %}",
    "a loop over a constant": "{% for a in [1, 2, 3] %}{% endfor %}",
    "a loop over a text": "{% for a in 'abc' %}{% endfor %}",
    "a loop over a filter": "{% for a in x|join %}{% endfor %}",
    "a loop of two names": "{% for a, b in x %}{% endfor %}",
    "a hidden loop variable": "{% for loop in x %}{% endfor %}",
    "a wide center": "{{ 'x'|center(1000000000) }}",
    "a deep indent": "{{ x|indent(1000000000) }}",
    "a growing replace": "{{ x|replace('', x) }}",
    "a filter's format": "{{ '%1000000000d'|format(1) }}",
    "a filter block": "{% filter upper %}x{% endfilter %}",
    "a filter by name": "{{ x|map('upper')|list }}",
    "an attribute by filter": "{{ x|attr('__class__') }}",
    "a random choice": "{{ x|random }}",
    "everything as JSON": "{{ x|tojson }}",
    "a safe mark": "{{ x|safe }}",
    "escaping switched off": "{% autoescape false %}{{ x }}{% endautoescape %}",
    "all subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a class by subscript": "{{ ''['__class__']() }}",
    "globals of a function": "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "the template itself": "{{ self }}",
    "the template's own context": "{{ self._TemplateReference__context }}",
    "a private name": "{{ _x }}",
    "a name that Python reads otherwise": "{{ \ufb01 }}",
    "arguments from a list": "{{ x|truncate(*y) }}",
    "arguments from an object": "{{ x|truncate(**y) }}",
    "a slice": "{{ x[::-1] }}",
    "a tuple": "{{ (1, 2) }}",
    "an object": "{{ {'a': 1} }}",
    "a huge number": "{{ 1000000000000000 }}",
    "an endless number": "{{ 1e999 }}",
    "a number too long to read": "{{ " + "9" * 5000 + " }}",
    "a long constant": "{{ '" + "x" * 1001 + "' }}",
    "a surrogate from an escape": r"{{ '\ud800' }}",
    "NUL from an escape": r"{{ '\0' }}",
    "a negative list": "{{ -x }}",
    "many brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "many minus signs": "{{ " + "-" * 5000 + "1 }}",
    "many nots": "{{ " + "not " * 3000 + "x }}",
    "many ifs": "{% if x %}" * 500 + "{% endif %}" * 500,
    "many filters": "{{ x" + "|upper" * 500 + " }}",
    "many attributes": "{{ x" + ".x" * 2000 + " }}",
    "many ands": "{{ x" + " and x" * 2000 + " }}",
    "many tags": "{{ x }}" * 10_000,
    "an unknown tag": "{% debug %}",
    "a statement": "{% do x.append(1) %}",
    "a break": "{% for a in x %}{% break %}{% endfor %}",
    "a test with an argument": "{{ x is divisibleby(0) }}",
    "a test by name": "{{ x is callable }}",
    "a translation": "{% trans %}x{% endtrans %}",
}

LONG = "<" * 60_000
MANY = [{"k": number} for number in range(1000)]

STOPPED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a million rounds": (
        "{% for a in x %}{% for b in x %}{{ 1 }}{% endfor %}{% endfor %}",
        {"x": [1] * 1000},
        "too_much_work",
    ),
    "rounds that write nothing": (
        "{% for a in x %}{% for b in x %}{% if a.k == b.k %}{% endif %}{% endfor %}{% endfor %}",
        {"x": MANY},
        "too_much_work",
    ),
    "rounds that only choose": (
        "{% for a in x %}{% for b in x if a.k == b.k %}{% endfor %}{% endfor %}",
        {"x": MANY},
        "too_much_work",
    ),
    "long texts compared again and again": (
        "{% for a in x %}{% if p == q %}{% endif %}{% endfor %}",
        {"x": [1] * 1000, "p": LONG, "q": LONG[:]},
        "too_much_work",
    ),
    "long texts searched again and again": (
        "{% for a in x %}{% if q in p %}{% endif %}{% endfor %}",
        {"x": [1] * 1000, "p": LONG, "q": "<" * 30_000 + "a"},
        "too_much_work",
    ),
    "a long list searched again and again": (
        "{% for a in x %}{% for b in x %}{% if b in x %}{% endif %}{% endfor %}{% endfor %}",
        {"x": [1] * 400},
        "too_much_work",
    ),
    "filters whose results vanish": (
        "{% for a in x %}{% if p|title|escape|urlencode == '' %}{% endif %}{% endfor %}",
        {"x": [1] * 1000, "p": LONG},
        "too_much_work",
    ),
    "joins that multiply": (
        "{{ [" + ",".join(["[p,p,p,p,p,p,p,p]|join"] * 300) + "]|join|length }}",
        {"p": LONG},
        "too_much_work",
    ),
    "separators that multiply": ("{{ x|join(p) }}", {"x": [1] * 1000, "p": LONG}, "unfit_variable"),
    "separators that multiply, kept for later": (
        "{{ [" + ",".join(["x|join(p)"] * 900) + "]|first|length }}",
        {"x": [1] * 1000, "p": "<" * 1000},
        "too_much_work",
    ),
    "encodings of encodings": (
        "{{ p" + "|urlencode" * 25 + "|length }}",
        {"p": LONG},
        "too_much_work",
    ),
    "too much output": (
        "{% for a in x %}{{ p }}{% endfor %}",
        {"x": [1] * 1000, "p": LONG},
        "too_long",
    ),
    "too much output after escaping": ("{{ p }}" * 5, {"p": LONG}, "too_long"),
    "a text that is a number's format": (
        "{{ p is even }}",
        {"p": "%1000000000d"},
        "unfit_variable",
    ),
    "a method that is no member": ("{{ p.upper }}", {"p": "a"}, "missing_variable"),
    "a method of objects": ("{{ p.pop }}", {"p": {"a": 1}}, "missing_variable"),
    "a class as a variable's name": ("{{ p[q] }}", {"p": {}, "q": "__class__"}, "missing_variable"),
    "a loop over a long text": ("{% for a in p %}{% endfor %}", {"p": LONG}, "unfit_variable"),
    "the loop itself": ("{% for a in x %}{{ loop }}{% endfor %}", {"x": [1]}, "unfit_variable"),
    "the loop's insides": (
        "{% for a in x %}{{ loop.nextitem }}{% endfor %}",
        {"x": [1]},
        "missing_variable",
    ),
    "kinds that cannot be compared": ("{{ p < 1 }}", {"p": "a"}, "unfit_variable"),
    "a list looked for in a text": ("{{ x in p }}", {"p": "a", "x": []}, "unfit_variable"),
}


def test_there_are_enough_attacks() -> None:
    assert len(REFUSED) + len(STOPPED) >= 24


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_is_not_on_the_list_is_refused_before_it_is_compiled(source: str) -> None:
    tracemalloc.start()
    faults = refused(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1 <= len(faults) <= 10
    assert all((fault.pointer, fault.line) == ("/text", 1) for fault in faults)
    assert all(len(fault.detail) < 300 for fault in faults)
    assert peak < 10_000_000


@pytest.mark.parametrize(("source", "variables", "code"), STOPPED.values(), ids=STOPPED)
def test_what_only_rendering_shows_ends_within_bounds(
    source: str, variables: dict[str, Any], code: str
) -> None:
    tracemalloc.start()
    fault = stopped(source, "html", **variables)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (fault.code, fault.pointer.split("/")[1]) == (code, "variables")
    assert peak < 40_000_000


def test_a_variable_is_never_taken_for_a_template() -> None:
    assert rendered("{{ x }}", x="{{ 7 }}{% include 'x' %}") == "{{ 7 }}{% include 'x' %}"


def test_variables_cannot_reach_the_meter() -> None:
    variables: dict[str, Any] = {"the meter": "mine", "x": [1] * 1000}
    fault = stopped("{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}", **variables)
    assert fault.code == "too_much_work"
