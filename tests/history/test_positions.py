"""The sequencer: positions without gaps, in each message's order, whoever writes and reads."""

import threading

import pytest
from django.db import connection, transaction

from notifications.history.changes import add_event, lock_messages
from notifications.history.positions import sequence_events
from notifications.models import Event, EventPosition, EventQueue, Message
from tests.factories import make_message

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 3
EVENTS = 40


def write(message: Message) -> None:
    """Add events, each in a transaction of its own."""
    try:
        for number in range(EVENTS):
            with transaction.atomic():
                lock_messages([message.id])
                add_event(message_id=message.id, kind="noted", data={"number": number})
    finally:
        connection.close()


def sequence_until(done: threading.Event) -> None:
    """Number events until told to stop."""
    try:
        while not done.is_set():
            sequence_events()
    finally:
        connection.close()


def test_every_event_gets_one_position_without_gaps_and_in_order() -> None:
    messages = [make_message() for _ in range(WRITERS)]
    done = threading.Event()
    writers = [threading.Thread(target=write, args=[message]) for message in messages]
    sequencers = [threading.Thread(target=sequence_until, args=[done]) for _ in range(2)]
    for thread in (*writers, *sequencers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    sequence_events()

    positions = dict(EventPosition.objects.values_list("event_id", "position"))
    assert sorted(positions.values()) == list(range(1, WRITERS * EVENTS + 1))
    for message in messages:
        ids = Event.objects.filter(message=message).order_by("seq").values_list("id", flat=True)
        in_order = [positions[id_] for id_ in ids]
        assert in_order == sorted(in_order)
    assert not EventQueue.objects.exists()


def test_a_sequencer_that_does_not_get_the_lock_does_nothing() -> None:
    message = make_message()
    add_event(message_id=message.id, kind="noted", data={})
    other: list[int] = []

    def sequence_elsewhere() -> None:
        other.append(sequence_events())
        connection.close()

    with transaction.atomic():
        assert sequence_events() == 1
        thread = threading.Thread(target=sequence_elsewhere)
        thread.start()
        thread.join(timeout=10)
    assert other == [0]
