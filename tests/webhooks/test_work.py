"""Posts are made by ordinary tasks: called by the sequencer, and by a schedule."""

import psycopg
import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from notifications.history.positions import sequence_events
from notifications.models import User
from notifications.models.wakeup import connection_parameters
from notifications.webhooks import work
from notifications.webhooks.endpoints import create_endpoint, disable
from tests import stories
from tests.peers.http_peer import HttpPeer
from tests.webhooks.conftest import Made, run, types

ANN = "ann@example.org"


def tasks() -> list[str]:
    """The functions of the tasks that wait."""
    return [task.func() for task in OrmQ.objects.all()]


def test_new_events_call_for_a_task(owner: User, endpoint: Made) -> None:
    stories.accepted(owner, ANN)
    sequence_events()
    assert tasks() == [work.TASK]
    sequence_events()
    assert tasks() == [work.TASK], "nothing was new"


def test_where_nobody_has_an_endpoint_there_is_no_task(owner: User, endpoint: Made) -> None:
    disable(endpoint[0], reason="a test")
    stories.accepted(owner, ANN)
    sequence_events()
    assert tasks() == []


def test_the_task_is_a_function_that_there_is() -> None:
    module, _, name = work.TASK.rpartition(".")
    assert (module, name) == (work.__name__, work.post_events.__name__)


@pytest.mark.django_db(transaction=True)
def test_the_schedule_is_made_once_and_again_when_it_was_lost() -> None:
    Schedule.objects.all().delete()
    for _ in range(2):
        call_command("migrate", verbosity=0)
    schedule = Schedule.objects.get(func=work.TASK)
    assert (schedule.schedule_type, schedule.minutes, schedule.repeats) == ("I", 1, -1)


def test_one_posts_at_a_time(owner: User, taker: HttpPeer, endpoint: Made) -> None:
    stories.accepted(owner, ANN)
    with psycopg.connect(**connection_parameters(), autocommit=True) as another:
        another.execute(f"SELECT pg_advisory_lock({work._LOCK})")
        run()
        assert taker.requests == []
    run()
    assert types(taker) == ["message.accepted"]


def test_a_run_that_has_no_time_left_calls_for_another(
    owner: User, taker: HttpPeer, endpoint: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "_RUN_SECONDS", -1)
    stories.accepted(owner, ANN)
    sequence_events()
    OrmQ.objects.all().delete()
    work.post_events()
    assert taker.requests == []
    assert tasks() == [work.TASK]


def test_a_failing_endpoint_does_not_keep_the_task_going(owner: User) -> None:
    with HttpPeer() as closed:
        pass
    create_endpoint(owner=owner, url=closed.url, kinds=[])
    stories.accepted(owner, ANN)
    began = timezone.now()
    run()
    assert (timezone.now() - began).total_seconds() < 5
