"""Lines that say the same, put together."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from notifications.history.timeline import DeliverySummary, Line, Timeline
from notifications.models import State
from notifications.web.grouping import entries_of

AT = datetime(2026, 11, 4, tzinfo=UTC)


def line(seq: int, recipient: str, sentence: str) -> Line:
    return Line(seq, AT, "sent", recipient, sentence, "", applied=True, data={})


def told(recipients: int, *lines: Line) -> Timeline:
    deliveries = tuple(
        DeliverySummary(uuid4(), "to", f"{n}@x.example", "", State.SENT, 1, "", "", None, None, ())
        for n in range(recipients)
    )
    return Timeline("", deliveries, lines, 0, is_settled=True)


@pytest.mark.parametrize(
    ("total", "named", "whom"),
    [
        (1, "a", ""),
        (3, "abc", "all 3 recipients"),
        (4, "abc", "a, b, c"),
        (9, "abcde", "a, b, c and 2 more"),
    ],
)
def test_an_entry_says_whom_it_is_about(total: int, named: str, whom: str) -> None:
    lines = [line(seq, recipient, "took it") for seq, recipient in enumerate(named, 1)]
    (entry,) = entries_of(told(total, *lines))
    assert (entry.line.seq, entry.whom) == (1, whom)


def test_only_neighbours_are_put_together() -> None:
    lines = (line(1, "a", "took it"), line(2, "b", "refused it"), line(3, "c", "took it"))
    assert [entry.line.seq for entry in entries_of(told(4, *lines))] == [1, 2, 3]


def test_a_line_about_the_message_names_nobody() -> None:
    (entry,) = entries_of(told(2, line(1, "", "accepted")))
    assert entry.whom == ""
