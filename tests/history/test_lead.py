"""The sentence that staff read first, to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.history.lead import clock, lead
from notifications.history.wording import Facts
from notifications.models import State

NOW = datetime(2026, 11, 25, 10, 5, tzinfo=UTC)
THEN = datetime(2026, 11, 25, 10, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "facts", "told"),
    [
        (
            State.SENT,
            Facts(provider="relay", reading="sent", code=250, answer="2.0.0 OK"),
            "relay took it at 10:02:11 UTC; not yet known to be delivered",
        ),
        (
            State.QUEUED,
            Facts(provider="Postmark", reading="queued"),
            "Postmark took it at 10:02:11 UTC; not yet known to be delivered",
        ),
        (
            State.DELIVERED,
            Facts(provider="relay", is_report=True),
            "The recipient's server took it at 10:02:11 UTC",
        ),
        (
            State.DEFERRED,
            Facts(provider="relay", is_report=True),
            (
                "The recipient's server put it off; relay goes on trying (10:02:11 UTC); "
                "not yet delivered"
            ),
        ),
        (
            State.FAILED,
            Facts(provider="relay", reading="message_refused", code=554, answer="5.7.1 no"),
            "relay refused the message for good at 10:02:11 UTC",
        ),
        (State.DEAD, Facts(reason="deadline"), "Given up: its deadline passed (10:02:11 UTC)"),
        (State.SENDING, Facts(provider="relay"), "Handing it to relay at 10:02:11 UTC"),
        (
            State.PENDING,
            Facts(who="root", is_requeue=True),
            "root chose to send it again at 10:02:11 UTC; it waits for its turn",
        ),
    ],
)
def test_it_says_what_happened_and_when(state: State, facts: Facts, told: str) -> None:
    assert lead(state, facts, since=THEN, again_at=None, now=NOW) == told


def test_it_says_when_it_is_tried_again() -> None:
    facts = Facts(provider="relay", reading="temporary", code=451, answer="Greylisted", wait=300)
    again = THEN + timedelta(minutes=5)
    assert lead(State.PENDING, facts, since=THEN, again_at=again, now=NOW) == (
        "relay did not take it for now at 10:02:11 UTC; it will be tried again at 10:07:11 UTC"
    )


def test_a_moment_of_another_day_has_its_day() -> None:
    assert clock(THEN, now=NOW + timedelta(days=1)) == "25 November 2026, 10:02:11 UTC"
