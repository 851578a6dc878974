"""Row 19: a provider answers 429 with Retry-After."""

import pytest

from notifications.models import Attempt
from tests.faults.row import Row
from tests.faults.steps import UNDER_WAY, first_provider, http_beside_smtp, time_passes
from tests.peers import Answer, HttpPeer, SmtpPeer
from tests.peers.http_peer import HttpRequest, postmark

_MESSAGES = 100


class Busy:
    """A provider that asks for ten minutes' patience, until it has time again."""

    has_time = False

    def __call__(self, request: HttpRequest) -> Answer:
        """Answer one request."""
        return postmark(request) if self.has_time else Answer(429, headers={"Retry-After": "600"})


@pytest.mark.quick
@pytest.mark.faults("19", "provider A answers 429 with Retry-After")
def test_it_is_left_in_peace_for_as_long_as_it_asks(row: Row, sink: SmtpPeer) -> None:
    busy = Busy()
    with HttpPeer(speak=busy) as http, row.system(http_beside_smtp(http, sink)) as system:
        row.submit(_MESSAGES)
        system.start_worker()
        row.drain()
        assert len(sink.taken) == _MESSAGES
        asked = len(http.requests)
        assert 0 < asked <= UNDER_WAY
        assert first_provider().closed_until is not None
        busy.has_time = True
        time_passes(500)
        row.submit(_MESSAGES)
        row.drain()
        assert len(http.requests) == asked
        time_passes(101)
        row.submit(_MESSAGES)
        row.drain()
        assert len(http.taken) > 0
        verdict = row.judge(http, sink)
    assert (verdict.handed_off, verdict.uncertain) == (3 * _MESSAGES, 0)
    assert Attempt.objects.filter(handoff__reading="exhausted").count() == asked
