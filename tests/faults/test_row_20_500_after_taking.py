"""Row 20: an HTTP provider takes a message, and answers 500."""

import pytest

from tests.faults.row import Row
from tests.faults.steps import by_postmark, by_smtp
from tests.peers import Answer, HttpPeer, SmtpPeer

_MESSAGES = 5


@pytest.mark.quick
@pytest.mark.faults("20", "HTTP provider answers 500 after taking the message")
def test_it_stays_uncertain_and_goes_nowhere_else(row: Row, sink: SmtpPeer) -> None:
    with HttpPeer(Answer(500, "oops")) as broken:
        row.submit(_MESSAGES)
        # the SMTP provider has the smaller share, so that most go to the broken one
        providers = f"{by_postmark(broken)}&weight=1000,{by_smtp(sink)}"
        with row.system(providers) as system:
            system.start_worker()
            row.drain()
            verdict = row.judge(broken, sink)
    assert verdict.uncertain == len(broken.requests) > 0
    assert verdict.handed_off == _MESSAGES
