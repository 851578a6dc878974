"""Bulk actions with real workers, which are killed in the middle."""

from collections import Counter
from pathlib import Path

import pytest

from notifications.models import BulkAction, Delivery, Event, Message, State, User
from notifications.queue.bulk import start_bulk
from notifications.queue.bulk_choices import REQUEUE, Decision
from tests.conftest import wait_until
from tests.e2e.system import System
from tests.faults.records import Step
from tests.faults.sink import SinkProcess
from tests.queue.dead import dead_letters

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

COUNT = 1_500


def under_way(done: int) -> bool:
    """Whether so many messages are done by now."""
    return BulkAction.objects.get().done >= done


def test_workers_that_are_killed_in_the_middle_leave_nothing_undone_and_nothing_done_twice(
    tmp_path: Path,
) -> None:
    ids = dead_letters(User.objects.create_user("shop"), COUNT)
    ann = User.objects.create_superuser("ann")
    with (
        SinkProcess(tmp_path) as sink,
        System(tmp_path, f"first=smtp://127.0.0.1:{sink.port}") as system,
    ):
        start_bulk(
            choice=REQUEUE,
            decision=Decision(ann, "the server is back"),
            messages=Message.objects.all(),
            whose="of all users",
            chosen_by="",
        )
        # before the commit of a batch: what it did is undone, and done again by another worker
        system.arm("bulk_batch[400]=kill")
        system.start_worker()
        wait_until(lambda: system.failed_at("bulk_batch"), seconds=60)
        assert BulkAction.objects.get().done == 200
        wait_until(lambda: under_way(600), seconds=60)
        # and the whole cluster, at any moment
        system.kill("worker")
        system.arm("")
        system.start_worker()
        wait_until(lambda: BulkAction.objects.get().ended_at, seconds=90)
        # whom the kill met on the wire, nobody knows
        over = Message.objects.filter(state__in=[State.SENT, State.UNCERTAIN])
        wait_until(lambda: over.count() == COUNT, seconds=90)
        action = BulkAction.objects.get()
        assert (action.done, action.skipped, action.failed) == (COUNT, 0, 0)
        chosen = Event.objects.filter(data__choice="requeue").values_list("message_id", flat=True)
        assert Counter(chosen) == Counter(ids)
        assert set(Delivery.objects.values_list("generation", flat=True)) == {2}
        taken = [taken.message_id for taken in sink.received() if taken.step is Step.TAKEN]
        assert len(taken) == len(set(taken))
