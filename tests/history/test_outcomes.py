"""Outcomes are fenced by their Attempt: a late truth is recorded, a second one is not possible."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction

from notifications.history.changes import Change, LetGo, change_deliveries, lock_messages
from notifications.history.in_flight import Planned, commit_in_flight
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.models import Attempt, Delivery, Handoff, Message, Outcome, Provider, State
from notifications.models.ids import new_id
from notifications.models.lease import Lease
from notifications.queue.choices import cancel, requeue
from notifications.queue.claim import claim_next
from tests.factories import ProviderFactory, UserFactory, make_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    """Whoever takes the messages."""
    return ProviderFactory()


def begin(message: Message, provider: Provider, *, lease: Lease | None = None) -> Planned:
    """Commit all of the message's deliveries as in flight."""
    deliveries = tuple(map(str, message.deliveries.values_list("id", flat=True)))
    plan = Planned(new_id(), str(message.id), provider.id, provider.name, deliveries)
    with transaction.atomic():
        lock_messages([message.id])
        commit_in_flight([plan], lease=lease)
    return plan


def end(
    plan: Planned,
    outcome: Outcome,
    state: State,
    *,
    provider_id: str = "",
    let_go: LetGo | None = None,
) -> int:
    """Record how the hand-off ended, for all its recipients; returns how many moved."""
    attempts = [
        AttemptOutcome(Change(id_, state), outcome, reading=state, code=250, answer="as it was")
        for id_ in plan.delivery_ids
    ]
    ended = HandoffOutcome(plan.handoff_id, plan.message_id, attempts, provider_id)
    with transaction.atomic():
        lock_messages([plan.message_id])
        return len(attempts) - len(record_outcomes([ended], let_go=let_go))


def state_of(message: Message) -> str:
    """The state its first delivery is in now."""
    return Delivery.objects.filter(message=message).order_by("id")[0].state


def test_an_accepted_hand_off_is_recorded_whole(provider: Provider) -> None:
    message = make_message("a@example.org", "b@example.org")
    plan = begin(message, provider)
    assert end(plan, Outcome.ACCEPTED, State.SENT, provider_id="abc") == 2
    handoff = Handoff.objects.get(id=plan.handoff_id)
    assert (handoff.outcome, handoff.code, handoff.answer) == ("accepted", 250, "as it was")
    assert (handoff.provider_message_id, handoff.ended_at is not None) == ("abc", True)
    assert set(Attempt.objects.values_list("outcome", "code")) == {("accepted", 250)}


def test_no_index_of_messages_learns_that_a_hand_off_begins(provider: Provider) -> None:
    message = make_message()
    claim = claim_next()
    assert claim is not None
    before = _updates_without_an_index("message")
    plan = begin(message, provider, lease=Lease(claim.token))
    assert _updates_without_an_index("message") == before + 1
    message.refresh_from_db()
    assert message.state == State.SENDING
    end(plan, Outcome.ACCEPTED, State.SENT)
    message.refresh_from_db()
    assert (message.state, message.due_at, message.turn) == (State.SENT, None, None)


def test_a_message_is_let_go_with_the_last_of_its_hand_offs(provider: Provider) -> None:
    message = make_message("a@example.org", "b@example.org")
    claim = claim_next()
    assert claim is not None
    plans = [
        Planned(new_id(), str(message.id), provider.id, provider.name, (str(id_),))
        for id_ in message.deliveries.values_list("id", flat=True)
    ]
    with transaction.atomic():
        lock_messages([message.id])
        commit_in_flight(plans, lease=Lease(claim.token))
    leased = []
    for plan in plans:
        let_go = LetGo(claim.token, [plan.message_id])
        end(plan, Outcome.ACCEPTED, State.SENT, let_go=let_go)
        message.refresh_from_db()
        leased.append(message.lease_token is not None)
    assert leased == [True, False]


@pytest.mark.parametrize("table", ["delivery", "handoff", "attempt"])
def test_no_index_learns_that_a_hand_off_was_accepted(provider: Provider, table: str) -> None:
    plan = begin(make_message("a@example.org"), provider)
    before = _updates_without_an_index(table)
    end(plan, Outcome.ACCEPTED, State.SENT)
    assert _updates_without_an_index(table) == before + 1


def _updates_without_an_index(table: str) -> int:
    """How many of its rows this transaction has changed that no index had to learn of."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = %s",
            [f"notifications_{table}"],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("outcome", [Outcome.IN_FLIGHT, Outcome.ACCEPTED, Outcome.UNCERTAIN])
def test_no_attempt_can_begin_while_one_may_have_been_accepted(
    provider: Provider, outcome: Outcome
) -> None:
    """P2: the unique index refuses it even to code that is wrong."""
    message = make_message()
    plan = begin(message, provider)
    Attempt.objects.update(outcome=outcome)
    second = Handoff.objects.create(message=message, provider=provider, idempotency_key="second")
    with pytest.raises(IntegrityError, match="attempt_one_live"):
        Attempt.objects.create(handoff=second, delivery_id=plan.delivery_ids[0], generation=1)


def test_a_late_truth_about_an_uncertain_attempt_is_recorded(provider: Provider) -> None:
    message = make_message()
    plan = begin(message, provider)
    end(plan, Outcome.UNCERTAIN, State.UNCERTAIN)
    assert end(plan, Outcome.ACCEPTED, State.SENT) == 1
    assert state_of(message) == State.SENT
    assert Attempt.objects.get().outcome == Outcome.ACCEPTED


def test_a_hand_off_ends_with_the_last_of_its_attempts(provider: Provider) -> None:
    plan = begin(make_message("a@example.org", "b@example.org"), provider)
    first, second = plan.delivery_ids
    end(replace(plan, delivery_ids=(first,)), Outcome.NOT_ACCEPTED, State.PENDING)
    handoff = Handoff.objects.get(id=plan.handoff_id)
    assert (handoff.outcome, handoff.ended_at) == ("in_flight", None)
    end(replace(plan, delivery_ids=(second,)), Outcome.REFUSED, State.FAILED)
    handoff.refresh_from_db()
    assert (handoff.outcome, handoff.ended_at is not None) == ("not_accepted", True)


def test_an_outcome_that_is_recorded_twice_changes_nothing_the_second_time(
    provider: Provider,
) -> None:
    message = make_message()
    plan = begin(message, provider)
    end(plan, Outcome.ACCEPTED, State.SENT)
    assert end(plan, Outcome.NOT_ACCEPTED, State.PENDING) == 0
    assert state_of(message) == State.SENT
    assert message.events.count() == 2


def test_a_truth_that_comes_after_a_requeue_stays_in_the_attempt_and_the_history(
    provider: Provider,
) -> None:
    message = make_message()
    plan = begin(message, provider)
    end(plan, Outcome.UNCERTAIN, State.UNCERTAIN)
    with transaction.atomic():
        lock_messages([message.id])
        change_deliveries([Change(plan.delivery_ids[0], State.DEAD)], before=[State.UNCERTAIN])
    requeue([message.id], by=UserFactory(), reason="nobody knows")

    assert end(plan, Outcome.ACCEPTED, State.SENT) == 0
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.generation) == (State.PENDING, 2)
    assert Attempt.objects.get().outcome == Outcome.ACCEPTED
    event = message.events.order_by("-seq")[0]
    assert (event.kind, event.applied, event.data["generation"]) == ("sent", False, 1)


def test_a_delivery_that_was_cancelled_meanwhile_is_not_put_in_flight(provider: Provider) -> None:
    message = make_message()
    cancel([message.id], by=UserFactory())
    begin(message, provider)
    assert not Handoff.objects.exists()
    assert state_of(message) == State.CANCELLED


def test_a_hand_off_begins_with_those_of_its_deliveries_that_are_still_pending(
    provider: Provider,
) -> None:
    message = make_message("a@example.org", "b@example.org")
    gone, kept = map(str, message.deliveries.order_by("id").values_list("id", flat=True))
    plan = Planned(new_id(), str(message.id), provider.id, provider.name, (gone, kept))
    with transaction.atomic():
        lock_messages([message.id])
        change_deliveries([Change(gone, State.CANCELLED)], before=(State.PENDING,))
        begun = commit_in_flight([plan])
    assert begun == [replace(plan, delivery_ids=(kept,))]
    assert str(Attempt.objects.get().delivery_id) == kept


@pytest.mark.parametrize("messages", [1, 20])
def test_recording_costs_one_statement_for_any_number(
    provider: Provider, messages: int, django_assert_num_queries: object
) -> None:
    plans = [begin(make_message(), provider) for _ in range(messages)]
    outcomes = [
        HandoffOutcome(
            plan.handoff_id,
            plan.message_id,
            [AttemptOutcome(Change(plan.delivery_ids[0], State.SENT), Outcome.ACCEPTED, "sent")],
        )
        for plan in plans
    ]
    with django_assert_num_queries(1):  # type: ignore[operator]
        record_outcomes(outcomes)
