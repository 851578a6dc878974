"""Row 5: the worker dies after a provider's reply, and before it is recorded."""

import pytest

from tests.faults.row import Row, quick
from tests.faults.steps import by_smtp
from tests.faults.supervisor import Supervisor
from tests.faults.victims import Victim, kill_at
from tests.peers import SmtpPeer, reply

_MESSAGES = 20


@pytest.mark.faults("5", "worker killed -9 after the reply, before the outcome commit")
@pytest.mark.parametrize("victim", ["child", quick("sentinel"), "tree"])
def test_the_outcome_is_recovered_from_the_journal(
    row: Row, sink: SmtpPeer, victim: Victim
) -> None:
    row.submit(_MESSAGES)
    with row.system(by_smtp(sink), LIMBO_THREADS="1") as system:
        system.arm("after_journal=stop")
        with Supervisor(system):
            kill_at("after_journal", system, victim)
            row.drain()
            verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)


@pytest.mark.faults("5", "worker killed -9 after a refusal, before the outcome commit")
def test_a_refusal_is_recovered_too_and_nobody_else_is_asked(row: Row, sink: SmtpPeer) -> None:
    row.submit(5)
    with (
        SmtpPeer(on={"dot": reply("554 5.6.0 no")}) as refusing,
        row.system(by_smtp(refusing), LIMBO_THREADS="1") as system,
    ):
        system.arm("after_journal=stop")
        with Supervisor(system):
            kill_at("after_journal", system, "child")
            row.drain()
            verdict = row.judge(refusing)
    assert (verdict.handed_off, verdict.uncertain) == (0, 0)
    assert len(refusing.ended) == 5
