"""Row 15: a provider takes every fifth message and hangs up without an answer."""

import pytest

from notifications.models import Attempt, Outcome
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer, drop

_MESSAGES = 100


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
