"""Row 2: the worker dies between its claim and the in-flight commit."""

import pytest
from django.db import connection, transaction

from notifications.models import Handoff
from tests.conftest import wait_until
from tests.faults.row import Row
from tests.faults.steps import are_claimed, by_smtp, leases_end
from tests.peers import SmtpPeer


@pytest.mark.quick
@pytest.mark.faults("2", "worker killed -9 after claim, before in-flight")
def test_what_a_dead_worker_had_claimed_is_sent_once(row: Row, sink: SmtpPeer) -> None:
    row.submit(20)
    with row.system(by_smtp(sink)) as system:
        with transaction.atomic(), connection.cursor() as cursor:
            # the worker claims, and must wait before it can commit its attempts
            cursor.execute("LOCK TABLE notifications_handoff IN EXCLUSIVE MODE")
            system.start_worker()
            wait_until(are_claimed)
            system.kill("worker")
        assert not Handoff.objects.exists()
        leases_end()
        system.start_worker()
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (20, 0)
