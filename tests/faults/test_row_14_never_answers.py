"""Row 14: a provider takes the connection and never says a word."""

import pytest

from notifications.models import Attempt, Outcome
from notifications.models.lease import HANDOFF_SECONDS
from tests.faults.proxy import Proxy
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer, stall

_MESSAGES = 12


@pytest.mark.faults("14", "provider A accepts the connection and never answers")
@pytest.mark.parametrize("way", ["says nothing", "is a black hole"])
def test_its_hand_offs_end_in_time_and_all_go_through_the_other(
    row: Row, sink: SmtpPeer, way: str
) -> None:
    script = {"greeting": stall()} if way == "says nothing" else {}
    with SmtpPeer(on=script) as silent, Proxy(silent.port) as network:
        if way == "is a black hole":
            network.vanish()
        row.submit(_MESSAGES)
        with row.system(by_smtp(network, sink)) as system:
            system.start_worker()
            row.drain(seconds=4 * HANDOFF_SECONDS)
            verdict = row.judge(silent, sink)
        assert network.connections > 0
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
    assert not silent.ended
    ended = Attempt.objects.filter(handoff__provider__name="first").exclude(handoff__ended_at=None)
    assert {attempt.outcome for attempt in ended} == {Outcome.NOT_ACCEPTED}
