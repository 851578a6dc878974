"""Variables that are made up from how a template uses them."""

import pytest

from notifications.intake.templates.compiling import compile_part
from notifications.intake.templates.meter import Meter
from notifications.intake.templates.rendering import render
from notifications.intake.templates.sample import sample_of
from notifications.intake.templates.variables import read_variables


@pytest.mark.parametrize(
    ("source", "sample"),
    [
        ("Hello", {}),
        ("{{ name }}", {"name": "name"}),
        ("{{ name|default('friend')|upper }}", {"name": "name"}),
        (
            "{{ day.number }}{{ day.of.year }}",
            {"day": {"number": "number", "of": {"year": "year"}}},
        ),
        ("{{ order['number'] }}", {"order": {"number": "number"}}),
        ("{{ (order|default(other)).number }}", {"order": {"number": "number"}, "other": "other"}),
        (
            "{% for line in order.lines %}{{ loop.index }}{{ line.title }}{% endfor %}",
            {"order": {"lines": [{"title": "title"}]}},
        ),
        (
            "{% for a in b %}{% for x in a.of if x %}{{x}}{% endfor %}{% else %}{{a}}{% endfor %}",
            {"b": [{"of": ["of"]}], "a": "a"},
        ),
        ("{{ tags|join(', ') }} {{ pair[0] }}", {"tags": ["tags"], "pair": ["pair"]}),
        ("{% if count > 3 %}many{% endif %}", {"count": 3}),
        (
            "{% if 'x' == kind and paid %}{{ a if b else c }}{% endif %}",
            {"kind": "x", "paid": "paid", "a": "a", "b": "b", "c": "c"},
        ),
        ("{% if number is odd %}odd{% endif %}", {"number": 1}),
        ("{{ order[key] }}", {"order": "order", "key": "key"}),
        ("{{ 1 + 1 }}{{ name }}", {}),
        ("{{ name", {}),
    ],
)
def test_each_use_tells_what_a_variable_is_like(source: str, sample: dict[str, object]) -> None:
    assert sample_of([source]) == sample


def test_the_parts_of_a_template_tell_together() -> None:
    parts = {
        "subject": "Order {{ order.number }}",
        "text": "{% for line in order.lines %}- {{ line.title }}{% endfor %}",
        "html": "{% if order.lines|length > 1 and vip is true %}<b>{{ name }}</b>{% endif %}",
    }
    sample = sample_of(parts.values())
    compiled = {part: compile_part(part, source) for part, source in parts.items()}
    rendered = render(compiled, read_variables(sample), Meter())  # type: ignore[arg-type]
    assert (rendered.subject, rendered.text) == ("Order number", "- title")
