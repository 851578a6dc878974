"""Which part of Jinja's language templates are written in: an allow-list over the syntax tree.

The sandbox alone bounds neither time nor memory: `'x' * 10**9` takes a gigabyte while it is
*compiled*. So a tree is looked at before that, and whatever is not named here is refused: no
arithmetic, no calls, no assignments, no other templates. What is left cannot make much out of
little, apart from loops, which are counted while they run (`meter`).
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace

from jinja2 import nodes

from notifications.intake.reader import body_fault
from notifications.intake.templates.words import FILTERS, TESTS

MAX_LOOPS = 2
"""Loops within each other."""

MAX_DEPTH = 30
"""Nodes of the tree within each other; Python's own compiler has its limits too."""

MAX_CONSTANT = 1000
"""Characters of a text that is written within a tag."""

MAX_NUMBER = 10**12

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.For,
    nodes.If,
    nodes.CondExpr,
    nodes.Name,
    nodes.Const,
    nodes.Neg,
    nodes.List,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)

_WORDS: dict[type[nodes.Node], str] = {
    nodes.BinExpr: "Arithmetic is not available; compute it before, and pass the result.",
    nodes.Concat: "`~` is not available; write the parts one after the other.",
    nodes.Call: "Calls are not available.",
    nodes.Macro: "Macros are not available.",
    nodes.Assign: "`set` is not available.",
    nodes.AssignBlock: "`set` is not available.",
    nodes.With: "`with` is not available.",
    nodes.Include: "`include` is not available.",
    nodes.Extends: "`extends` is not available.",
    nodes.Import: "`import` is not available.",
    nodes.FromImport: "`import` is not available.",
    nodes.Block: "`block` is not available.",
    nodes.FilterBlock: "Filters can only be used with `|`.",
    nodes.Slice: "Slices are not available.",
    nodes.Scope: "`autoescape` is not available.",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing in a template that is not allowed."""

    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree a node is."""

    depth: int = 0
    loops: int = 0


def flaws_of(tree: nodes.Template) -> Iterator[Flaw]:
    """What is not allowed in `tree`, in no order."""
    yield from _flaws_below(tree, _Place())


def _flaws_below(node: nodes.Node, place: _Place) -> Iterator[Flaw]:
    if place.depth > MAX_DEPTH:
        yield Flaw(_line_of(node), f"This is nested more than {MAX_DEPTH} deep.")
    elif not isinstance(node, _ALLOWED):
        yield Flaw(_line_of(node), _refusal(node))
    else:
        yield from (Flaw(_line_of(node), detail) for detail in _own_flaws(node, place))
        for child, inside in _children(node, place):
            yield from _flaws_below(child, inside)


def _children(node: nodes.Node, place: _Place) -> Iterator[tuple[nodes.Node, _Place]]:
    deeper = replace(place, depth=place.depth + 1)
    looping = replace(deeper, loops=place.loops + 1)
    for field, value in node.iter_fields():
        is_repeated = isinstance(node, nodes.For) and field in ("body", "test")
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                yield child, looping if is_repeated else deeper


def _line_of(node: nodes.Node) -> int:
    """Some nodes are not told their line; then it is that of the first one within."""
    lines = (below.lineno for below in node.find_all(nodes.Node) if below.lineno)
    return node.lineno or next(lines, 1)


def _refusal(node: nodes.Node) -> str:
    for kind, words in _WORDS.items():
        if isinstance(node, kind):
            return words
    return f"{type(node).__name__} is not available."


def _own_flaws(node: nodes.Node, place: _Place) -> Iterator[str]:
    match node:
        case nodes.Name():
            yield from _name_flaws(node.name)
        case nodes.Getattr() if node.attr.startswith("_"):
            yield f"The name {node.attr!a} is not available."
        case nodes.Const():
            yield from _constant_flaws(node.value)
        case nodes.Neg() if not _is_number(node.node):
            yield "A minus stands before a number that is written out, and nowhere else."
        case nodes.For():
            yield from _loop_flaws(node, place)
        case nodes.Filter():
            yield from _filter_flaws(node)
        case nodes.Test():
            yield from _test_flaws(node)


def _name_flaws(name: str) -> Iterator[str]:
    if name.startswith("_") or name == "self":
        yield f"The name {name!a} is not available."
    # Python takes names for the same that differ in their characters (NFKC)
    elif not name.isascii():
        yield f"A name is written in ASCII letters; this is {name!a}."


def _constant_flaws(value: object) -> Iterator[str]:
    match value:
        case str() if len(value) > MAX_CONSTANT:
            yield f"A text within a tag may have {MAX_CONSTANT} characters."
        case str() if fault := body_fault(value):
            yield fault[0]
        case int() | float() if abs(value) > MAX_NUMBER:
            yield "This number is too large."


def _is_number(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, int | float)


def _loop_flaws(node: nodes.For, place: _Place) -> Iterator[str]:
    if place.loops >= MAX_LOOPS:
        yield f"At most {MAX_LOOPS} loops can be within each other."
    if node.recursive:
        yield "Recursive loops are not available."
    if not isinstance(node.target, nodes.Name) or node.target.name == "loop":
        yield "A loop has one name for its items, which is not `loop`."
    if not _is_variable(node.iter):
        yield "A loop goes over a variable, or a part of one."


def _is_variable(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        node = node.node
    return isinstance(node, nodes.Name)


def _filter_flaws(node: nodes.Filter) -> Iterator[str]:
    word = FILTERS.get(node.name)
    if word is None:
        yield f"There is no filter {node.name!a}; there are {', '.join(FILTERS)}."
    elif node.dyn_args or node.dyn_kwargs:
        yield "`*` and `**` are not available."
    else:
        try:
            named: dict[str, object] = {str(keyword.key): keyword for keyword in node.kwargs}
            inspect.signature(word).bind(node.node, *node.args, **named)
        except TypeError as error:
            yield f"The filter {node.name}: {error}."


def _test_flaws(node: nodes.Test) -> Iterator[str]:
    if node.name not in TESTS:
        yield f"There is no test {node.name!a}; there are {', '.join(TESTS)}."
    elif node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        yield f"The test {node.name} takes no argument."
