"""Row 3: the worker dies after its attempts are committed, and before any connection."""

import pytest

from notifications.models import Attempt
from tests.faults.row import Row, quick
from tests.faults.steps import by_smtp
from tests.faults.supervisor import Supervisor
from tests.faults.victims import Victim, kill_at
from tests.peers import SmtpPeer

_MESSAGES = 20


@pytest.mark.faults("3", "worker killed -9 after in-flight commit, before any connect")
@pytest.mark.parametrize("victim", [quick("child"), "sentinel", "tree"])
def test_what_was_not_begun_is_sent_once_and_soon(row: Row, sink: SmtpPeer, victim: Victim) -> None:
    row.submit(_MESSAGES)
    with row.system(by_smtp(sink)) as system:
        system.arm("after_in_flight=stop")
        with Supervisor(system):
            kill_at("after_in_flight", system, victim)
            row.drain()
            verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
    # the journal told it, not the lease's end: that would have made them uncertain
    told = Attempt.objects.filter(reading="not_begun").count()
    assert told == _MESSAGES
