"""Row 16: a provider answers one byte a second."""

import pytest

from notifications.models.lease import HANDOFF_SECONDS
from tests.conftest import wait_until
from tests.faults.proxy import Pace, Proxy
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.peers import SmtpPeer

_MANY = 300


@pytest.mark.faults("16", "provider A is slow (1 byte/s)")
def test_the_other_provider_goes_on_at_its_pace(row: Row, sink: SmtpPeer) -> None:
    with SinkProcess(row.folder) as quick, Proxy(sink.port) as slow:
        slow.pace = Pace.bytewise(1.0)
        # A has the small share of what is to be sent, and still as many threads as it may take
        providers = (
            f"slow=smtp://127.0.0.1:{slow.port}?weight=1,"
            f"quick=smtp://127.0.0.1:{quick.port}?weight=2"
        )
        with row.system(providers) as system:
            row.submit(_MANY)
            system.start_worker()
            # before a single hand-off to the slow one can have ended
            wait_until(lambda: len(quick.received()) > _MANY / 2, seconds=HANDOFF_SECONDS)
            assert not sink.ended
            row.drain(seconds=6 * HANDOFF_SECONDS)
            verdict = row.judge(quick, sink)
    assert slow.connections > 0
    assert (verdict.handed_off, verdict.uncertain) == (_MANY, 0)
