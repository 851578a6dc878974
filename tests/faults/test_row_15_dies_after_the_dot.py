"""Row 15: a provider, or the network before it, dies between the final dot and its reply."""

from collections.abc import Callable

import pytest

from notifications.models import Attempt, Outcome
from notifications.models.lease import HANDOFF_SECONDS
from tests.conftest import wait_until
from tests.faults.gate import Gate
from tests.faults.proxy import Proxy
from tests.faults.row import Row, quick
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer, drop

_MESSAGES = 100
_ON_THE_WIRE = 12


@pytest.mark.quick
@pytest.mark.faults("15", "provider A dies after the dot for 20 % of messages")
def test_exactly_those_are_uncertain_and_none_goes_through_the_other(
    row: Row, sink: SmtpPeer
) -> None:
    script = [drop() if turn % 5 == 0 else None for turn in range(_MESSAGES)]
    with SmtpPeer(on={"dot": script}) as dying:
        row.submit(_MESSAGES)
        with row.system(by_smtp(dying, sink)) as system:
            system.start_worker()
            row.drain()
            verdict = row.judge(dying, sink)
    dropped = len(range(0, len(dying.ended), 5))
    assert dropped > 0
    assert (verdict.uncertain, verdict.handed_off) == (dropped, _MESSAGES)
    doubted = Attempt.objects.filter(outcome=Outcome.UNCERTAIN)
    assert {attempt.handoff.provider.name for attempt in doubted} == {"first"}


@pytest.mark.faults("15", "the network dies after the dot")
@pytest.mark.parametrize(
    ("die", "seconds"),
    [
        quick(Proxy.cut, 90),
        (Proxy.half_close, 90),
        # only the hand-offs' deadline ends them
        (Proxy.vanish, 4 * HANDOFF_SECONDS),
    ],
    ids=["reset", "half-closed", "black hole"],
)
def test_what_was_on_the_wire_is_uncertain_and_nothing_else(
    row: Row, sink: SmtpPeer, die: Callable[[Proxy], None], seconds: float
) -> None:
    gate = Gate()
    with SmtpPeer(on={"dot": gate.action}) as waiting, Proxy(waiting.port) as network:
        row.submit(_ON_THE_WIRE)
        # half of the threads may be at one provider, and are enough for all of them
        threads = str(2 * _ON_THE_WIRE)
        with row.system(by_smtp(network, sink), LIMBO_THREADS=threads) as system:
            system.start_worker()
            wait_until(lambda: len(waiting.ended) + len(sink.taken) == _ON_THE_WIRE)
            die(network)
            gate.open()
            row.drain(seconds=seconds)
            verdict = row.judge(waiting, sink)
    assert verdict.uncertain == len(waiting.ended) > 0
    assert verdict.handed_off == _ON_THE_WIRE
