"""The table at the end: a line a row."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.faults.invariants import Verdict

_COLUMNS = ("messages", "accepted", "handed off", "doubled", "uncertain", "lost")


@dataclass(frozen=True, slots=True)
class Line:
    """What a row's test reports; no verdict where it did not come so far."""

    nodeid: str
    number: str
    fault: str
    verdict: Verdict | None

    def cells(self, *, failed: bool) -> list[str]:
        """Its cells, the last one says when it failed."""
        v = self.verdict
        numbers: Sequence[int | str] = ["–"] * len(_COLUMNS)
        if v is not None:
            numbers = [v.messages, v.accepted, v.handed_off, v.doubled, v.uncertain, v.lost]
        return [self.number, self.fault, *map(str, numbers), "FAILED" if failed else ""]


LINES = pytest.StashKey[list[Line]]()


def lines_of(lines: Sequence[Line], *, failed: Collection[str]) -> Iterator[str]:
    """The table as text, in the order of the rows' numbers."""
    rows = [["row", "fault", *_COLUMNS, ""]]
    rows += [line.cells(failed=line.nodeid in failed) for line in sorted(lines, key=_order)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield " | ".join(
            cell.rjust(width) if cell.isdigit() else cell.ljust(width) for cell, width in cells
        ).rstrip(" |")


def _order(line: Line) -> tuple[int, str, str]:
    digits = "".join(filter(str.isdigit, line.number))
    return int(digits or 0), line.number, line.fault
