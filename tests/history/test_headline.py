"""The one sentence above a message."""

from datetime import UTC, datetime, timedelta

import pytest

from notifications.history.headline import Standing, headline, moment
from notifications.models import State

NOW = datetime(2026, 5, 3, 10, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=2)


def say(*standings: State | Standing) -> str:
    whole = [s if isinstance(s, Standing) else Standing(s) for s in standings]
    return headline(whole, now=NOW)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_said_of_one_of_several_and_of_all(state: State) -> None:
    other = State.SENT if state is not State.SENT else State.DEAD
    for sentence in (say(state), say(state, state), say(state, other), say(state, state, other)):
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert "{" not in sentence


@pytest.mark.parametrize(
    ("standings", "said"),
    [
        ((State.SENT,), "Sent."),
        ((State.DELIVERED,) * 3, "Delivered to all 3 recipients."),
        ((State.SENT, State.REJECTED), "Sent to 1 of 2; one was refused as a recipient."),
        (
            (State.DELIVERED, State.DELIVERED, Standing(State.PENDING, retry_at=SOON)),
            "Delivered to 2 of 3; one is waiting and will be tried again at 10:02 UTC.",
        ),
        ((Standing(State.PENDING, retry_at=SOON),), "Not sent yet; it will be tried again at"),
        ((Standing(State.SCHEDULED, starts_at=SOON),), "Scheduled for 10:02 UTC."),
        ((State.PENDING, State.PENDING), "Waiting to be sent to all 2 recipients."),
        ((State.SENDING, State.DEAD), "Of 2 recipients one is being sent; one was given up."),
        ((State.UNCERTAIN,), "Uncertain: the provider may have taken it."),
    ],
)
def test_headlines(standings: tuple[State | Standing, ...], said: str) -> None:
    assert say(*standings).startswith(said)


def test_the_earliest_retry_is_the_one_told() -> None:
    later = Standing(State.PENDING, retry_at=SOON + timedelta(hours=1))
    assert "at 10:02 UTC" in say(later, Standing(State.PENDING, retry_at=SOON))


def test_another_day_is_named() -> None:
    assert moment(NOW + timedelta(days=1), now=NOW) == "4 May, 10:00 UTC"
