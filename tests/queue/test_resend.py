"""What is in doubt is sent again where its sender chose so: once, later, before its deadline."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.history.changes import Change, lock_messages
from notifications.history.in_flight import Planned, commit_in_flight
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.models import Attempt, Delivery, Handoff, Message, Outcome, State
from notifications.models.ids import new_id
from notifications.queue.resend import GRACE_SECONDS, resend_uncertain
from notifications.queue.schedule import release_scheduled
from tests.factories import ProviderFactory, SuppressionFactory, UserFactory, make_message
from tests.queue.line import become_due

pytestmark = pytest.mark.django_db


def hand_over(message: Message, *, ended: State = State.UNCERTAIN, ago: float = 61) -> None:
    """A hand-off of what waits, that ended so some seconds ago."""
    waiting = message.deliveries.filter(state="pending")
    ids = tuple(map(str, waiting.values_list("id", flat=True)))
    provider = ProviderFactory()
    handoff_id = new_id()
    outcome = Outcome.UNCERTAIN if ended is State.UNCERTAIN else Outcome.ACCEPTED
    with transaction.atomic():
        lock_messages([message.id])
        commit_in_flight([Planned(handoff_id, str(message.id), provider.id, provider.name, ids)])
        attempts = [AttemptOutcome(Change(id_, ended), outcome, "ambiguous") for id_ in ids]
        record_outcomes([HandoffOutcome(handoff_id, message.id, attempts)])
    at = timezone.now() - timedelta(seconds=ago)
    Handoff.objects.filter(id=handoff_id).update(ended_at=at)


def in_doubt(*addresses: str, ago: float = 61, **fields: Any) -> Message:
    """A message of which nobody knows whether it went out, to be sent again then."""
    message = make_message(*addresses, **{"on_uncertain": "resend", **fields})
    hand_over(message, ago=ago)
    return message


def deliveries(message: Message) -> list[tuple[str, int]]:
    """State and generation of each delivery."""
    rows = message.deliveries.order_by("position").values_list("state", "generation")
    return list(rows)


def test_it_is_sent_again_as_a_new_generation_and_the_history_says_whose_choice_it_was() -> None:
    owner = UserFactory(username="ann")
    message = in_doubt("a@example.org", "b@example.org", owner=owner)
    assert resend_uncertain() == 2
    assert deliveries(message) == [("pending", 2), ("pending", 2)]
    message.refresh_from_db()
    assert (message.state, message.due_at is None) == ("pending", False)
    data = message.events.order_by("-seq")[0].data
    assert data == {"by": "ann", "choice": "requeue", "reason": "on_uncertain: resend"}


def test_whose_address_was_suppressed_meanwhile_gets_no_second_copy() -> None:
    message = in_doubt("a@example.org", "B@example.org")
    SuppressionFactory(owner=message.owner, address="b@example.org")
    assert resend_uncertain() == 1
    assert deliveries(message) == [("pending", 2), ("uncertain", 1)]


def test_it_happens_once() -> None:
    message = in_doubt()
    resend_uncertain()
    hand_over(message)
    assert resend_uncertain() == 0
    assert deliveries(message) == [("uncertain", 2)]


def test_the_late_truth_has_its_time() -> None:
    message = in_doubt(ago=GRACE_SECONDS - 5)
    assert resend_uncertain() == 0
    attempt = Attempt.objects.get()
    with transaction.atomic():
        lock_messages([message.id])
        truth = AttemptOutcome(Change(attempt.delivery_id, State.SENT), Outcome.ACCEPTED, "sent")
        record_outcomes([HandoffOutcome(attempt.handoff_id, message.id, [truth])])
    Handoff.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    assert resend_uncertain() == 0
    assert deliveries(message) == [("sent", 1)]


@pytest.mark.parametrize(
    "but",
    [
        {"on_uncertain": "hold"},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_not_without_that_choice_and_not_past_the_deadline(but: dict[str, Any]) -> None:
    message = in_doubt(**but)
    assert resend_uncertain() == 0
    assert deliveries(message) == [("uncertain", 1)]


def test_not_while_a_worker_has_the_message() -> None:
    message = in_doubt()
    until = timezone.now() + timedelta(seconds=60)
    Message.objects.filter(id=message.id).update(lease_token=message.id, lease_until=until)
    assert resend_uncertain() == 0


def test_not_while_a_repeat_under_the_providers_key_is_due() -> None:
    message = in_doubt()
    later = timezone.now() + timedelta(minutes=10)
    Delivery.objects.filter(message=message).update(due_at=later)
    assert resend_uncertain() == 0


def test_only_those_in_doubt_are_sent_to_again() -> None:
    message = make_message("a@example.org", "b@example.org", on_uncertain="resend")
    first, second = message.deliveries.order_by("position")
    Delivery.objects.filter(id=second.id).update(state="held", due_at=None)
    hand_over(message, ended=State.SENT)
    Delivery.objects.filter(id=second.id).update(state="pending", due_at=timezone.now())
    hand_over(message)
    assert resend_uncertain() == 1
    assert deliveries(message) == [("sent", 1), ("pending", 2)]
    assert (first.generation, release_scheduled()) == (1, 0)


def test_looking_for_it_takes_an_index_however_much_else_there_is() -> None:
    become_due(UserFactory(), 2000)
    with CaptureQueriesContext(connection) as queries:
        resend_uncertain()
    (sql,) = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using message_state on" in plan
