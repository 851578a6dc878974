"""Row 4: the worker dies between a final dot and its reply, or before the dot."""

import pytest

from notifications.models import Attempt
from tests.conftest import wait_until
from tests.faults.gate import Gate
from tests.faults.records import Step
from tests.faults.row import Row, quick
from tests.faults.steps import by_smtp
from tests.faults.supervisor import Supervisor
from tests.faults.victims import VICTIMS, Victim, kill_at, kill_tree
from tests.peers import SmtpPeer

_MESSAGES = 20


def in_doubt() -> set[str]:
    """The hand-offs of which nobody knows."""
    doubtful = Attempt.objects.filter(outcome="uncertain")
    return {str(id_) for id_ in doubtful.values_list("handoff_id", flat=True)}


@pytest.mark.faults("4", "worker killed -9 between the final dot and its reply")
@pytest.mark.parametrize("victim", ["child", "sentinel", quick("tree")])
def test_exactly_the_one_on_the_wire_is_uncertain(row: Row, victim: Victim) -> None:
    row.submit(_MESSAGES)
    gate = Gate()
    with (
        SmtpPeer(on={"dot": [gate.action]}) as sink,
        row.system(by_smtp(sink), LIMBO_THREADS="1") as system,
    ):
        system.arm("dot_sent=stop")
        with Supervisor(system):
            kill_at("dot_sent", system, victim)
            wait_until(lambda: len(sink.ended) == _MESSAGES, seconds=90)
            gate.open()
            row.drain()
            verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 1)
    assert in_doubt() == {sink.ended[0].handoff_id}


@pytest.mark.faults("4", "whole tree killed -9 with many between dot and reply")
def test_of_many_on_the_wire_exactly_those_are_uncertain(row: Row) -> None:
    row.submit(100)
    gate = Gate()
    threads = 8
    with (
        SmtpPeer(on={"dot": [gate.action] * threads}) as sink,
        row.system(by_smtp(sink), LIMBO_WORKERS="1", LIMBO_THREADS=str(threads)) as system,
        Supervisor(system),
    ):
        wait_until(lambda: len(sink.ended) == threads, seconds=60)
        on_the_wire = {envelope.handoff_id for envelope in sink.ended}
        kill_tree(system.pid("worker"))
        row.drain()
        verdict = row.judge(sink)
        gate.open()
    assert (verdict.handed_off, verdict.uncertain) == (100, threads)
    assert in_doubt() == on_the_wire


@pytest.mark.faults("4", "worker killed -9 before the dot")
@pytest.mark.parametrize("victim", VICTIMS)
def test_before_the_dot_nothing_is_uncertain(row: Row, sink: SmtpPeer, victim: Victim) -> None:
    row.submit(_MESSAGES)
    with row.system(by_smtp(sink), LIMBO_THREADS="1") as system:
        system.arm("build[Message 9]=stop")
        with Supervisor(system):
            kill_at("build", system, victim)
            row.drain()
            verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)


@pytest.mark.faults("4", "worker killed -9 within the message, its dot allowed and not written")
def test_what_is_allowed_and_not_written_is_uncertain_too(row: Row, sink: SmtpPeer) -> None:
    """The journal cannot know how far the write came: it is shown, and never repeated."""
    row.submit(_MESSAGES)
    with row.system(by_smtp(sink), LIMBO_THREADS="1") as system:
        system.arm("before_dot=stop")
        with Supervisor(system):
            kill_at("before_dot", system, "child")
            row.drain()
            verdict = row.judge(sink, doubt_from=Step.BEGAN)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES - 1, 1)
