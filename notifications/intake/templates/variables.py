"""The variables that a template is rendered with: plain data of a bounded size.

What jinja2 sees is a copy made of types of our own. They know where in the request they come from,
so that what is wrong can be named, and how large they are, so that work on them can be measured.
"""

from collections.abc import Mapping, Sequence

from notifications.intake.errors import Fault, InvalidRequestError
from notifications.intake.reader import body_fault, pointer_to

MAX_OCTETS = 200 * 1024
"""All names and values together, in UTF-8."""

MAX_ITEMS = 1000
"""Of one list, and members of one object."""

MAX_DEPTH = 8
"""Lists and objects within each other, the outermost object being the first."""

POINTER = "/variables"
"""Where variables lie in every request that has some."""

Path = tuple[str | int, ...]
"""The names and indexes that lead to a value."""

_MAX_BITS = 10_000  # about three thousand digits; Python prints no more than 4,300


class Record(dict[str, object]):
    """A JSON object."""

    __slots__ = ("path", "size")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.size = 0


class Rows(list[object]):
    """A JSON array."""

    __slots__ = ("path", "size")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.size = 0


def read_variables(value: object) -> Record:
    """Copy decoded JSON for a template; None stands for no variables.

    Raises InvalidRequestError for the first value that breaks a rule.
    """
    if value is None:
        return Record(())
    if not isinstance(value, dict):
        raise _fault((), "This must be an object.", "type")
    return _Copier().record(value, ())


def pointer_of(path: Path) -> str:
    """The JSON Pointer to a variable."""
    return POINTER + "".join(pointer_to(str(part)) for part in path)


def _fault(path: Path, detail: str, code: str) -> InvalidRequestError:
    return InvalidRequestError(Fault(pointer_of(path), detail, code))


class _Copier:
    """Copies values and counts their octets."""

    def __init__(self) -> None:
        self._octets = 0

    def record(self, value: Mapping[object, object], path: Path) -> Record:
        self._check_size(len(value), path)
        record, before = Record(path), self._octets
        for name, member in value.items():
            if not isinstance(name, str):
                raise _fault(path, "The names of an object's members are strings.", "type")
            self._count_text(name, path)
            record[name] = self._copy(member, (*path, name))
        record.size = self._octets - before
        return record

    def _rows(self, value: Sequence[object], path: Path) -> Rows:
        self._check_size(len(value), path)
        rows, before = Rows(path), self._octets
        rows.extend(self._copy(item, (*path, index)) for index, item in enumerate(value))
        rows.size = self._octets - before
        return rows

    def _check_size(self, items: int, path: Path) -> None:
        if len(path) >= MAX_DEPTH:
            raise _fault(path, f"This is nested more than {MAX_DEPTH} deep.", "too_deep")
        if items > MAX_ITEMS:
            raise _fault(path, f"This has more than {MAX_ITEMS} items.", "too_many")

    def _copy(self, value: object, path: Path) -> object:
        match value:
            case dict():
                return self.record(value, path)
            case list():
                return self._rows(value, path)
            case str():
                self._count_text(value, path)
            case None | bool() | int() | float():
                self._count(_digits(value, path))
            case _:
                raise _fault(path, "JSON has no such value.", "type")
        return value

    def _count_text(self, text: str, path: Path) -> None:
        if fault := body_fault(text):
            raise _fault(path, *fault)
        self._count(len(text.encode()))

    def _count(self, octets: int) -> None:
        # an empty string is still an item
        self._octets += octets + 1
        if self._octets > MAX_OCTETS:
            detail = f"All variables together may have {MAX_OCTETS} octets."
            raise _fault((), detail, "too_large")


def _digits(value: object, path: Path) -> int:
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise _fault(path, "This number has too many digits.", "too_large")
    return len(str(value))
