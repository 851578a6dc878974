"""The sequencer: positions without gaps, in each message's order, whoever writes and reads."""

import threading
from collections.abc import Sequence

import pytest
from django.db import connection, transaction

from notifications.history.changes import add_event, lock_messages
from notifications.history.positions import sequence_events
from notifications.models import Event, EventPosition, EventQueue, Message
from notifications.models.triggers import EVENTS_A_ROW
from tests.factories import make_message

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 3
MESSAGES = 3
ROUNDS = 30


def add_events(messages: Sequence[Message], *, each: int) -> None:
    """Add so many events to each message, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH m AS (
                UPDATE notifications_message SET seq = seq + %(each)s WHERE id = ANY(%(ids)s)
                RETURNING id, seq - %(each)s AS seq
            )
            INSERT INTO notifications_event (message_id, seq, kind)
            SELECT id, seq + number, 'noted' FROM m, generate_series(1, %(each)s) number
            ORDER BY number, id
            """,
            {"each": each, "ids": [message.id for message in messages]},
        )


def write(messages: Sequence[Message]) -> None:
    """Add events to the messages, which others write to as well: some by one statement."""
    try:
        for number in range(ROUNDS):
            with transaction.atomic():
                lock_messages([message.id for message in messages])
                add_events(messages, each=2)
                add_event(message_id=messages[0].id, kind="noted", data={"number": number})
    finally:
        connection.close()


def assert_in_order(messages: Sequence[Message], *, count: int) -> None:
    """Each of `count` events has a position, without gaps, in the order of its message's."""
    positions = dict(EventPosition.objects.values_list("event_id", "position"))
    assert sorted(positions.values()) == list(range(1, count + 1))
    for message in messages:
        ids = Event.objects.filter(message=message).order_by("seq").values_list("id", flat=True)
        in_order = [positions[id_] for id_ in ids]
        assert in_order == sorted(in_order)
    assert not EventQueue.objects.exists()


def sequence_until(done: threading.Event) -> None:
    """Number events until told to stop."""
    try:
        while not done.is_set():
            sequence_events()
    finally:
        connection.close()


def test_every_event_gets_one_position_without_gaps_and_in_order() -> None:
    messages = [make_message() for _ in range(MESSAGES)]
    done = threading.Event()
    writers = [threading.Thread(target=write, args=[messages]) for _ in range(WRITERS)]
    sequencers = [threading.Thread(target=sequence_until, args=[done]) for _ in range(2)]
    for thread in (*writers, *sequencers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sequencers:
        thread.join()
    sequence_events()
    assert_in_order(messages, count=WRITERS * ROUNDS * (2 * MESSAGES + 1))


def test_the_events_of_one_statement_wait_in_few_rows_and_keep_their_order() -> None:
    messages = [make_message() for _ in range(MESSAGES)]
    add_events(messages, each=EVENTS_A_ROW)
    assert [len(row.event_ids) for row in EventQueue.objects.all()] == MESSAGES * [EVENTS_A_ROW]
    add_events(messages[:1], each=1)
    assert sequence_events() == MESSAGES * EVENTS_A_ROW + 1
    assert_in_order(messages, count=MESSAGES * EVENTS_A_ROW + 1)


def test_no_more_rows_are_taken_than_hold_as_many_events_as_asked_for() -> None:
    message = make_message()
    for each in (3, 1, 4):
        add_events([message], each=each)
    taken = []
    with connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute("SELECT limbo_sequence_events(4)")
            taken += cursor.fetchone()
    assert taken == [4, 4, 0]
    assert_in_order([message], count=8)


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
