"""Variables for a template that has none yet: made up from how its sources use them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from notifications.intake.templates.compiling import allowed_tree

_LISTS = ("join",)
"""Filters that take a list."""

_DEFAULTS = ("d", "default")
"""Filters that give what they are given."""

_NUMBERS = ("even", "odd")
"""Tests of a number."""


@dataclass(slots=True)
class _Shape:
    """What is known of a variable."""

    members: dict[str, "_Shape"] = field(default_factory=dict)
    item: "_Shape | None" = None
    """Of a list."""
    value: str | float | None = None
    """What it is compared with."""

    def member(self, name: str) -> "_Shape":
        """The member of that name, from now on."""
        return self.members.setdefault(name, _Shape())

    def any_item(self) -> "_Shape":
        """What each item of the list is like, which it is from now on."""
        if self.item is None:
            self.item = _Shape()
        return self.item

    def sample(self, name: str) -> object:
        """Something of this shape; a text is the variable's own name."""
        if self.members:
            return {key: shape.sample(key) for key, shape in self.members.items()}
        if self.item is not None:
            return [self.item.sample(name)]
        return name if self.value is None else self.value


_Scope = Mapping[str, _Shape]
"""The names that loops give, each with what it stands for."""


def sample_of(sources: Iterable[str]) -> dict[str, object]:
    """Variables with which sources that are allowed can most likely be rendered.

    What they say is made up: each text is the name of its variable. A source that is not allowed
    counts as empty.
    """
    root = _Shape()
    for source in sources:
        if (tree := allowed_tree(source)) is not None:
            _Reading(root).look(tree, {})
    return {name: shape.sample(name) for name, shape in root.members.items()}


class _Reading:
    """Goes through a tree and notes what it tells of the variables."""

    def __init__(self, root: _Shape) -> None:
        self._root = root

    def look(self, node: nodes.Node, scope: _Scope) -> _Shape:
        """What `node` stands for; whatever is no variable stands for something by itself."""
        match node:
            case nodes.Name():
                return scope.get(node.name) or self._root.member(node.name)
            case nodes.Getattr():
                return self.look(node.node, scope).member(node.attr)
            case nodes.Getitem():
                return self._part(node, scope)
            case nodes.For():
                return self._loop(node, scope)
            case nodes.Compare():
                return self._comparison(node, scope)
        shapes = [self.look(child, scope) for child in node.iter_child_nodes()]
        if isinstance(node, nodes.Filter) and node.name in _LISTS:
            shapes[0].any_item()
        if isinstance(node, nodes.Test) and node.name in _NUMBERS:
            shapes[0].value = 1
        is_default = isinstance(node, nodes.Filter) and node.name in _DEFAULTS
        return shapes[0] if is_default else _Shape()

    def _part(self, node: nodes.Getitem, scope: _Scope) -> _Shape:
        whole = self.look(node.node, scope)
        match node.arg:
            case nodes.Const(value=str() as name):
                return whole.member(name)
            case nodes.Const() | nodes.Neg():
                return whole.any_item()
        self.look(node.arg, scope)
        return _Shape()

    def _loop(self, node: nodes.For, scope: _Scope) -> _Shape:
        whole = self.look(node.iter, scope)
        target = node.target
        # of an object a loop gives the names
        item = _Shape() if whole.members else whole.any_item()
        inside = {**scope, "loop": _Shape()}
        if isinstance(target, nodes.Name):
            inside[target.name] = item
        for child in [*node.body, *([node.test] if node.test else [])]:
            self.look(child, inside)
        for child in node.else_:
            self.look(child, scope)
        return _Shape()

    def _comparison(self, node: nodes.Compare, scope: _Scope) -> _Shape:
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        values = [side.value for side in sides if isinstance(side, nodes.Const)]
        for side in sides:
            shape = self.look(side, scope)
            if values and isinstance(values[0], str | int | float):
                shape.value = values[0]
        return _Shape()
