"""Jinja's sandbox, made stricter: data has members and no methods, and all work is metered."""

from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from notifications.intake.templates.meter import meter_of, weight_of
from notifications.intake.templates.variables import Path, Record, Rows, pointer_of
from notifications.intake.templates.words import FILTERS, TESTS, Word, demand, refuse, shown

HTML = "html"
"""The name of the part whose values are escaped."""

_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})

# names that no template can write
_WEIGHED = "weighed operand"
_METERED = "metered loop"


class MissingVariable(StrictUndefined):
    """A variable that was not given; whatever needs it raises UndefinedError.

    The error's message is the JSON Pointer to where the variable should be.
    """

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        above: Path = getattr(self._undefined_obj, "path", ())
        return pointer_of((*above, str(self._undefined_name)))


class DataSandbox(ImmutableSandboxedEnvironment):
    """The environment of every template.

    `ImmutableSandboxedEnvironment` still lets templates reach harmless methods; here `order.items`
    is the member of that name, whatever Python's dictionaries have.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The member of an object, or of `loop`; of what is missing, that itself."""
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The member of an object, or the item of a list or a text."""
        match obj, argument:
            case Undefined(), _:
                return obj
            case Record(), str() if argument in obj:
                return obj[argument]
            case ((list() | str()), int()) if -len(obj) <= argument < len(obj):
                return obj[argument]
        return self.undefined(obj=obj, name=argument)


def make_environment() -> DataSandbox:
    """An environment that knows nothing but our filters and tests."""
    environment = DataSandbox(
        undefined=MissingVariable,
        autoescape=lambda name: name == HTML,
        finalize=_shown,
        # nothing is evaluated while it compiles
        optimized=False,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.filters = {name: _metered(word) for name, word in FILTERS.items()}
    environment.filters |= {_WEIGHED: _weigh, _METERED: _loop}
    environment.tests = {name: _strict(name, word) for name, word in TESTS.items()}
    return environment


@pass_context
def _shown(_context: Context, value: object) -> str | float:
    # the context is there so that the compiler cannot fold constants
    return shown(value)


def _metered(word: Word) -> Word:
    @pass_context
    def filter_(context: Context, value: object, *args: object, **kwargs: object) -> object:
        meter = meter_of(context)
        meter.charge(sum(map(weight_of, (value, *args, *kwargs.values()))))
        result = word(value, *args, **kwargs)
        meter.charge(weight_of(result))
        return result

    return filter_


def _strict(name: str, word: Word) -> Word:
    def test(value: object) -> bool:
        if name not in ("defined", "undefined"):
            demand(value)
        return bool(word(value))

    return test


@pass_context
def _weigh(context: Context, value: object) -> object:
    """An operand of a comparison, which may look at all of it."""
    meter_of(context).charge(weight_of(value))
    return value


@pass_context
def _loop(context: Context, value: object, steps: int) -> object:
    """What a loop goes over, each round of which takes `steps`."""
    if not isinstance(value, Record | Rows):
        refuse(value, "a loop goes over a list, or the names of an object's members")
    meter_of(context).charge(len(value) * steps)
    return value


class MeterLoops(NodeTransformer):
    """Puts the meter into a tree that was found to be allowed."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - found by the class's name
        """Count a loop's rounds, each by the nodes in it; an inner loop counts its own."""
        steps = nodes.Const(1 + sum(map(_count, [*node.body, node.test])))
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, _METERED, [steps], [], None, None, lineno=node.lineno)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802
        """Weigh both sides of a comparison."""
        self.generic_visit(node)
        node.expr = _weighed(node.expr)
        for operand in node.ops:
            operand.expr = _weighed(operand.expr)
        return node


def _weighed(node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, _WEIGHED, [], [], None, None, lineno=node.lineno)


def _count(node: nodes.Node | None) -> int:
    """The nodes that one evaluation of `node` may touch."""
    if node is None:
        return 0
    below = (
        node.iter_child_nodes(only=("iter", "else_"))
        if isinstance(node, nodes.For)
        else node.iter_child_nodes()
    )
    return 1 + sum(map(_count, below))
