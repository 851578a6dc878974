"""Row 22: an HTTP provider refuses our key."""

import pytest

from tests.faults.row import Row
from tests.faults.steps import UNDER_WAY, first_provider, http_beside_smtp
from tests.peers import Answer, HttpPeer, SmtpPeer

_MESSAGES = 100


@pytest.mark.quick
@pytest.mark.faults("22", "HTTP provider answers 401")
def test_it_is_switched_off_with_an_alert_and_all_go_through_the_other(
    row: Row, sink: SmtpPeer
) -> None:
    with HttpPeer(Answer(401, '{"Message": "no such token"}')) as http:
        row.submit(_MESSAGES)
        with row.system(http_beside_smtp(http, sink)) as system:
            system.start_worker()
            row.drain()
            verdict = row.judge(http, sink)
            log = system.log("worker")
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
    assert len(sink.taken) == _MESSAGES
    assert 0 < len(http.requests) <= UNDER_WAY
    provider = first_provider()
    assert (provider.enabled, "no such token" in provider.fault) == (False, True)
    (alert,) = [line for line in log.splitlines() if "first is switched off" in line]
    assert " ERROR " in alert
