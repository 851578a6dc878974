"""Row 12: somebody's long transaction holds a lock on the messages' table."""

import time

import psycopg
import pytest

from notifications.models.wakeup import connection_parameters
from tests.conftest import wait_until
from tests.faults.client import Client
from tests.faults.load import Load
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.faults.steps import by_smtp

_LOCKED_SECONDS = 30
_BEFORE = 50


@pytest.mark.faults("12", "a long transaction and a table lock for 30 s")
def test_submissions_wait_or_fail_cleanly_and_nothing_is_sent_twice(row: Row) -> None:
    with SinkProcess(row.folder) as sink, row.system(by_smtp(sink)) as system:
        system.start_web()
        system.start_worker()
        client = Client.of(row.owner(), system.port)
        with Load(client) as load:
            wait_until(lambda: len(sink.received()) > _BEFORE, seconds=60)
            with psycopg.connect(**connection_parameters()) as other:
                other.execute("LOCK TABLE notifications_message IN ACCESS EXCLUSIVE MODE")
                until = time.monotonic() + _LOCKED_SECONDS
                wait_until(lambda: time.monotonic() > until, seconds=_LOCKED_SECONDS + 30)
            wait_until(lambda: len(load.accepted) > 2 * _BEFORE, seconds=60)
        row.accepted = load.accepted
        row.drain(seconds=120)
        verdict = row.judge(sink)
    assert {reply.status for reply in client.replies} <= {200, 503}
    assert (verdict.handed_off, verdict.uncertain) == (len(row.accepted), 0)
