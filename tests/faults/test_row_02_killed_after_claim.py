"""Row 2: the worker dies between its claim and the in-flight commit.

The lease is moved to its end in the database, instead of waiting for a minute.
"""

import pytest

from notifications.models import Handoff
from tests.faults.row import Row, quick
from tests.faults.steps import are_claimed, by_smtp, leases_end
from tests.faults.supervisor import Supervisor
from tests.faults.victims import Victim, kill_at
from tests.peers import SmtpPeer

_MESSAGES = 20


@pytest.mark.faults("2", "worker killed -9 after claim, before in-flight")
@pytest.mark.parametrize("victim", ["child", "sentinel", quick("tree")])
def test_what_a_dead_worker_had_claimed_is_sent_once(
    row: Row, sink: SmtpPeer, victim: Victim
) -> None:
    row.submit(_MESSAGES)
    with row.system(by_smtp(sink)) as system:
        system.arm("batch_taken=stop")
        with Supervisor(system):
            kill_at("batch_taken", system, victim)
            assert are_claimed()
            assert not Handoff.objects.exists()
            leases_end()
            row.drain()
            verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
