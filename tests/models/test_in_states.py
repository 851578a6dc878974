"""Messages are found by their state, whichever indexes have them."""

from datetime import timedelta
from itertools import combinations
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from notifications.models import Message, State
from notifications.models.lease import LEASE_SECONDS
from notifications.models.message import in_states
from tests.factories import UserFactory, make_message

pytestmark = pytest.mark.django_db

STATES = (State.PENDING, State.SENDING, State.UNCERTAIN, State.SENT, State.DEAD)


def stand_at(message: Message, state: State) -> None:
    """Let it stand there, with its worker if it is being sent."""
    rows = Message.objects.filter(id=message.id)
    rows.update(state=state)
    if state == State.SENDING:
        rows.update(lease_token=uuid4(), lease_until=Now() + timedelta(seconds=LEASE_SECONDS))


@pytest.mark.parametrize(
    "states", [each for count in (1, 2, 3) for each in combinations(STATES, count)]
)
def test_those_in_the_states_are_found_and_no_others(states: tuple[State, ...]) -> None:
    messages = {state: make_message() for state in STATES}
    for state, message in messages.items():
        stand_at(message, state)
    found = set(Message.objects.filter(in_states(*states)).values_list("id", flat=True))
    assert found == {messages[state].id for state in states}


def test_the_few_that_are_being_sent_are_not_looked_for_among_all_that_wait() -> None:
    owner = UserFactory()
    oldest, *_ = [make_message(owner=owner) for _ in range(300)]
    stand_at(oldest, State.SENDING)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_message")
    found = Message.objects.listed(owner).filter(in_states(State.SENDING)).order_by("-id")[:20]
    assert "using message_lease" in found.explain()
