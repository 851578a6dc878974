"""Bulk actions: frozen targets, each touched once, whatever becomes of who works on them."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pgtrigger
import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from notifications.models import (
    BulkAction,
    BulkTarget,
    Delivery,
    Event,
    Message,
    State,
    TargetOutcome,
    User,
)
from notifications.queue import bulk_run
from notifications.queue.bulk import (
    MOST_TRIES,
    TASK,
    go_on_bulk,
    resume_stalled,
    start_bulk,
    stop_bulk,
)
from notifications.queue.bulk_choices import REQUEUE, RETRY, Decision
from notifications.queue.bulk_run import run_batch, run_bulk
from notifications.queue.bulk_targets import KEPT, remove_old_targets
from notifications.queue.choices import cancel, requeue
from notifications.queue.housekeeping import Housekeeping
from tests.factories import SuppressionFactory, UserFactory, make_message
from tests.queue.dead import dead_letters

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    """The one who chooses."""
    return UserFactory(username="ann")


def requeue_all(ann: User, *, through: str = "") -> BulkAction:
    """Begin to requeue whatever is a dead letter now."""
    return start_bulk(
        choice=REQUEUE,
        decision=Decision(ann, "the server is back", through),
        messages=Message.objects.all(),
        whose="of all users",
        chosen_by="",
    )


def finish(action: BulkAction) -> BulkAction:
    """Do what is left of it, as its task does."""
    while run_batch(action.id, action.run):
        pass
    action.refresh_from_db()
    return action


def outcomes(action: BulkAction) -> dict[UUID, str]:
    """What became of each message."""
    return dict(action.targets.values_list("message_id", "outcome"))


def tasks() -> list[tuple[object, ...]]:
    """The arguments of the bulk tasks that wait for a worker."""
    waiting = [row.task for row in OrmQ.objects.order_by("id")]
    return [task["args"] for task in waiting if task["func"] == TASK]


def test_it_changes_what_was_found_when_it_was_confirmed_and_nothing_that_came_later(
    ann: User,
) -> None:
    before = dead_letters(UserFactory(), 3)
    waiting = make_message()
    action = requeue_all(ann, through="second")
    later = dead_letters(UserFactory(), 1)
    assert (action.total, action.deliveries) == (3, 3)
    assert tasks() == [(str(action.id), 1)]
    run_bulk(str(action.id), 1)
    action.refresh_from_db()
    assert (action.done, action.skipped, action.failed, action.left) == (3, 0, 0, 0)
    assert action.ended_at is not None
    assert set(outcomes(action)) == set(before)
    again = Delivery.objects.filter(message__in=before).values_list(
        "state", "generation", "through"
    )
    assert set(again) == {(State.PENDING, 2, "second")}
    rest = Delivery.objects.filter(message__in=[*later, waiting.id])
    assert set(rest.values_list("generation", flat=True)) == {1}
    told = Event.objects.filter(message=before[0]).latest("seq").data
    assert (told["by"], told["reason"]) == ("ann", "the server is back")


def test_what_has_changed_since_is_left_alone_and_it_says_why(ann: User) -> None:
    gone, suppressed, left = dead_letters(UserFactory(), 3)
    Delivery.objects.filter(message=suppressed).update(address="gone@example.org")
    action = requeue_all(ann)
    requeue([gone], by=ann, reason="sooner")
    owner = Message.objects.get(id=gone).owner
    SuppressionFactory(owner=owner, address="gone@example.org")
    finish(action)
    assert outcomes(action) == {
        gone: TargetOutcome.SKIPPED,
        suppressed: TargetOutcome.SKIPPED,
        left: TargetOutcome.DONE,
    }
    assert action.remarks == {
        "It was no dead letter any more": 1,
        "The address was suppressed meanwhile": 1,
    }
    assert Delivery.objects.get(message=gone).generation == 2
    assert Delivery.objects.get(message=suppressed).state == State.SUPPRESSED


def test_one_that_cannot_be_done_keeps_none_of_the_others_from_it(ann: User) -> None:
    broken, *others = dead_letters(UserFactory(), 3)
    action = requeue_all(ann)
    # the highest that the column holds: there is no next generation
    with pgtrigger.ignore("notifications.Delivery:state_machine"):
        Delivery.objects.filter(message=broken).update(generation=32767)
    finish(action)
    assert (action.done, action.failed) == (2, 1)
    target = action.targets.get(message_id=broken)
    assert (target.outcome, target.why) == (TargetOutcome.FAILED, "smallint out of range")
    assert {outcomes(action)[id_] for id_ in others} == {TargetOutcome.DONE}


def test_a_batch_that_is_lost_is_done_again_as_a_whole(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_run, "BATCH", 2)
    ids = dead_letters(UserFactory(), 5)
    action = requeue_all(ann)
    run_batch(action.id, 1)

    def die(name: str, detail: str) -> None:
        raise OperationalError

    with monkeypatch.context() as dying:
        dying.setattr(bulk_run, "hit", die)
        with pytest.raises(OperationalError):
            run_batch(action.id, 1)
    action.refresh_from_db()
    assert (action.done, action.left) == (2, 3)
    assert Delivery.objects.filter(generation=2).count() == 2
    finish(action)
    assert action.done == 5
    again = Event.objects.filter(message__in=ids, data__choice="requeue")
    assert sorted(again.values_list("message_id", flat=True)) == sorted(ids)


def test_once_it_is_stopped_nothing_more_is_changed(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_run, "BATCH", 2)
    dead_letters(UserFactory(), 5)
    action = requeue_all(ann)
    run_batch(action.id, 1)
    assert stop_bulk(action.id, by=ann)
    assert not stop_bulk(action.id, by=UserFactory())
    finish(action)
    assert (action.done, action.left, action.stopped_by) == (2, 3, ann)
    assert Delivery.objects.filter(generation=2).count() == 2
    assert resume_stalled() == 0


def test_what_does_not_get_on_is_given_to_another_task_and_the_old_one_does_nothing_more(
    ann: User,
) -> None:
    dead_letters(UserFactory(), 1)
    action = requeue_all(ann)
    assert resume_stalled() == 0
    BulkAction.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert resume_stalled() == 1
    assert resume_stalled() == 0
    assert tasks() == [(str(action.id), 1), (str(action.id), 2)]
    assert not run_batch(action.id, 1)
    assert Delivery.objects.get().state == State.DEAD
    run_bulk(str(action.id), 2)
    assert Delivery.objects.get().state == State.PENDING


def stalled(action: BulkAction) -> BulkAction:
    """The action, after it should have got on and has not."""
    BulkAction.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    resume_stalled()
    action.refresh_from_db()
    return action


def fails(name: str, detail: str) -> None:
    """Stand in for a failpoint: something that goes wrong at each batch."""
    raise TypeError("no number\nand more")


def test_what_fails_again_and_again_is_given_up_with_the_reason(
    ann: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bulk_run, "hit", fails)
    dead_letters(UserFactory(), 1)
    action = requeue_all(ann)
    for run in range(1, MOST_TRIES + 1):
        assert not action.is_halted
        with pytest.raises(TypeError):
            run_bulk(str(action.id), run)
        action = stalled(action)
    assert action.is_halted
    assert (action.tries, action.error, action.left) == (MOST_TRIES, "no number", 1)
    assert [run for _, run in tasks()] == list(range(1, MOST_TRIES + 1))
    assert "given up" in caplog.text
    assert resume_stalled() == 0


def test_given_up_it_goes_on_when_staff_say_so_and_only_then(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_letters(UserFactory(), 1)
    action = requeue_all(ann)
    assert not go_on_bulk(action.id)
    BulkAction.objects.update(tries=MOST_TRIES, error="no number")
    action = stalled(action)
    run_bulk(str(action.id), 1)
    assert action.targets.filter(outcome="").exists()
    OrmQ.objects.all().delete()
    assert go_on_bulk(action.id)
    assert not go_on_bulk(action.id)
    action.refresh_from_db()
    assert (action.is_halted, action.tries, action.error) == (False, 0, "")
    assert tasks() == [(str(action.id), action.run)]
    run_bulk(str(action.id), action.run)
    action.refresh_from_db()
    assert (action.done, action.left) == (1, 0)


def test_each_batch_begins_the_count_of_tries_anew(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_run, "BATCH", 1)
    monkeypatch.setattr(bulk_run, "_RUN_SECONDS", 0)
    dead_letters(UserFactory(), 2)
    action = requeue_all(ann)
    BulkAction.objects.update(tries=MOST_TRIES - 1, error="no number")
    run_bulk(str(action.id), 1)
    action.refresh_from_db()
    assert (action.done, action.tries, action.error) == (1, 0, "")


def test_a_task_that_found_no_worker_is_no_try(ann: User) -> None:
    dead_letters(UserFactory(), 1)
    action = requeue_all(ann)
    for _ in range(MOST_TRIES + 1):
        action = stalled(action)
    assert (action.is_halted, action.tries) == (False, 0)


def test_what_was_given_up_can_be_stopped_for_good(ann: User) -> None:
    dead_letters(UserFactory(), 1)
    action = requeue_all(ann)
    BulkAction.objects.update(tries=MOST_TRIES)
    action = stalled(action)
    assert stop_bulk(action.id, by=ann)
    assert not go_on_bulk(action.id)
    action.refresh_from_db()
    assert not action.is_halted


@pytest.mark.django_db(transaction=True)
def test_while_a_task_has_a_batch_another_one_leaves_the_action_alone(ann: User) -> None:
    dead_letters(UserFactory(), 1)
    action = requeue_all(ann)
    BulkAction.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    other = connections.create_connection("default")
    try:
        with transaction.atomic(), other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("SELECT 1 FROM notifications_bulkaction FOR NO KEY UPDATE")
            assert not run_batch(action.id, 1)
            assert resume_stalled() == 0
        # at once; the server notices only later that a connection is closed
        other.rollback()
    finally:
        other.close()
    assert run_batch(action.id, 1)


def ended(action: BulkAction, *, ago: timedelta) -> BulkAction:
    """The action, done so long ago."""
    action = finish(action)
    BulkAction.objects.filter(pk=action.pk).update(ended_at=timezone.now() - ago)
    return action


def test_long_after_the_end_the_targets_are_removed_and_the_action_stays(ann: User) -> None:
    dead_letters(UserFactory(), 3)
    old = ended(requeue_all(ann), ago=KEPT + timedelta(minutes=1))
    dead_letters(UserFactory(), 2)
    recent = ended(requeue_all(ann), ago=KEPT - timedelta(minutes=1))
    dead_letters(UserFactory(), 1)
    open_ = requeue_all(ann)
    assert [remove_old_targets(limit=2) for _ in range(3)] == [2, 1, 0]
    left = BulkTarget.objects.values_list("action", flat=True)
    assert Counter(left) == {recent.pk: 2, open_.pk: 1}
    removed_at = BulkAction.objects.get(pk=old.pk).targets_removed_at
    assert removed_at is not None
    assert BulkAction.objects.filter(pk=old.pk, done=3, total=3).exists()


def test_housekeeping_removes_old_targets(ann: User) -> None:
    dead_letters(UserFactory(), 1)
    ended(requeue_all(ann), ago=KEPT + timedelta(minutes=1))
    Housekeeping().tick()
    assert not BulkTarget.objects.exists()


def test_a_long_action_makes_room_for_other_tasks(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_run, "BATCH", 1)
    monkeypatch.setattr(bulk_run, "_RUN_SECONDS", 0)
    dead_letters(UserFactory(), 2)
    action = requeue_all(ann)
    OrmQ.objects.all().delete()
    run_bulk(str(action.id), 1)
    action.refresh_from_db()
    assert (action.done, tasks()) == (1, [(str(action.id), 1)])


def test_a_batch_of_many_takes_as_many_statements_as_one_of_few(ann: User) -> None:
    counts = []
    for number in (2, 60):
        dead_letters(UserFactory(), number)
        action = requeue_all(ann)
        with CaptureQueriesContext(connection) as queries:
            run_batch(action.id, 1)
        counts.append(len(queries))
    # of which six are savepoints
    assert counts == [14, 14]


def test_freezing_is_one_statement_for_the_targets(ann: User) -> None:
    dead_letters(UserFactory(), 5)
    with CaptureQueriesContext(connection) as queries:
        requeue_all(ann)
    inserts = [q["sql"] for q in queries if "INTO notifications_bulktarget" in q["sql"]]
    assert len(inserts) == 1


def test_only_messages_with_something_to_change_are_targets(ann: User) -> None:
    cancelled, waiting = make_message(), make_message()
    cancel([cancelled.id], by=ann)
    later = timezone.now() + timedelta(hours=1)
    Delivery.objects.filter(message=waiting).update(due_at=later)
    due = make_message()
    action = start_bulk(
        choice=RETRY,
        decision=Decision(ann),
        messages=Message.objects.filter(id__in=[cancelled.id, waiting.id, due.id]),
        whose="of all users",
        chosen_by="",
    )
    assert set(outcomes(action)) == {waiting.id}
    finish(action)
    assert Delivery.objects.filter(message=waiting, due_at__lt=later).exists()
