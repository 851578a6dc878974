"""The database itself holds deliveries to the state table, step by step."""

import pgtrigger
import pytest
from django.db import IntegrityError, connection, transaction

from notifications.models import Delivery, State
from notifications.models.state import INITIAL, OPEN, RANK, REQUEUEABLE, SETTLED, TRANSITIONS
from tests.factories import DeliveryFactory, make_message

pytestmark = pytest.mark.django_db

ALL = tuple(State)


def put_into(delivery: Delivery, state: State) -> None:
    """Place a delivery in any state of its first generation, past the trigger."""
    with pgtrigger.ignore("notifications.Delivery:state_machine"), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE notifications_delivery SET state = %s, generation = 1, due_at = now(),
            finalized_at = CASE WHEN %s = ANY(%s) THEN NULL ELSE now() END WHERE id = %s""",
            [state, state, list(OPEN), delivery.id],
        )


def step(delivery: Delivery, state: State, *, generation: int) -> bool:
    """Try a step; returns whether the database took it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """UPDATE notifications_delivery SET state = %s, generation = %s, due_at = now(),
                finalized_at = CASE WHEN %s = ANY(%s) THEN NULL ELSE now() END WHERE id = %s""",
                [state, generation, state, list(OPEN), delivery.id],
            )
    except IntegrityError:
        return False
    return True


@pytest.mark.parametrize("before", ALL)
def test_the_database_takes_exactly_the_legal_steps_within_a_generation(before: State) -> None:
    delivery = DeliveryFactory()
    taken = set()
    for after in ALL:
        put_into(delivery, before)
        if after != before and step(delivery, after, generation=1):
            taken.add(after)
    assert taken == set(TRANSITIONS.get(before, ()))


@pytest.mark.parametrize("before", ALL)
def test_a_new_generation_begins_only_as_pending_and_only_where_a_requeue_is_allowed(
    before: State,
) -> None:
    delivery = DeliveryFactory()
    begun = set()
    for after in ALL:
        put_into(delivery, before)
        if step(delivery, after, generation=2):
            begun.add(after)
    assert begun == ({State.PENDING} if before in REQUEUEABLE else set())


def test_a_generation_grows_by_one_only() -> None:
    delivery = DeliveryFactory()
    put_into(delivery, State.DEAD)
    assert not step(delivery, State.PENDING, generation=3)
    assert not step(delivery, State.PENDING, generation=0)
    assert step(delivery, State.PENDING, generation=2)


@pytest.mark.parametrize("state", ALL)
def test_a_delivery_begins_only_in_an_initial_state(state: State) -> None:
    message = make_message()
    fields = {"message": message, "state": state}
    if state in SETTLED:
        fields["finalized_at"] = message.due_at
    try:
        with transaction.atomic():
            DeliveryFactory(**fields)
        began = True
    except IntegrityError:
        began = False
    assert began is (state in INITIAL)


def test_a_delivery_begins_in_its_first_generation() -> None:
    with pytest.raises(IntegrityError):
        DeliveryFactory(generation=2)


@pytest.mark.parametrize("state", SETTLED)
def test_a_settled_delivery_has_its_time(state: State) -> None:
    delivery = DeliveryFactory()
    put_into(delivery, state)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(id=delivery.id).update(finalized_at=None)


def test_the_rank_names_every_state_once() -> None:
    assert sorted(RANK) == sorted(ALL)
