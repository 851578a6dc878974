"""The history as a page shows it: what happened to several recipients at once is one entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from notifications.history.timeline import Line, Timeline

_NAMED = 3
"""Recipients that an entry names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines that say the same of different recipients, at the same moment."""

    line: Line
    """The first of them."""
    whom: str
    """The recipients in words; empty where there is no doubt who is meant."""


def entries_of(timeline: Timeline) -> list[Entry]:
    """The timeline's lines in their order, neighbours that say the same put together."""
    total = len(timeline.deliveries)
    alike = (
        list(lines)
        for _, lines in groupby(timeline.lines, key=lambda line: (line.at, line.sentence))
    )
    return [Entry(lines[0], _whom(lines, total)) for lines in alike]


def _whom(lines: Sequence[Line], total: int) -> str:
    recipients = [line.recipient for line in lines if line.recipient]
    if total == 1 or not recipients:
        return ""
    if len(recipients) == total:
        return f"all {total} recipients"
    if len(recipients) > _NAMED:
        return f"{', '.join(recipients[:_NAMED])} and {len(recipients) - _NAMED} more"
    return ", ".join(recipients)
