"""Row 24: a provider fails with every second message."""

import pytest
from django.db.models import Count

from notifications.models import Delivery
from tests.faults.row import Row
from tests.faults.steps import by_smtp, first_provider, time_passes
from tests.peers import SmtpPeer, drop
from tests.peers.actions import reply_then_drop
from tests.peers.smtp_peer import Script

_MESSAGES = 200
_MORE = 20
_ROUNDS = 5


@pytest.mark.faults("24", "provider A fails with every second message")
def test_nothing_is_tried_often_and_the_other_takes_what_it_cannot(
    row: Row, sink: SmtpPeer
) -> None:
    # every message costs it a connection, and every second connection ends before its greeting
    script: dict[str, Script] = {
        "greeting": [drop(), None] * 500,
        "dot": reply_then_drop("250 2.0.0 ok"),
    }
    with SmtpPeer(on=script) as flapping:
        row.submit(_MESSAGES)
        with row.system(by_smtp(flapping, sink)) as system:
            system.start_worker()
            row.drain()
            assert first_provider().breaker_until is not None
            for _ in range(_ROUNDS):
                time_passes(first_provider().breaker_seconds + 1)
                row.submit(_MORE)
                row.drain()
            verdict = row.judge(flapping, sink)
        connections = flapping.connections
    total = _MESSAGES + _ROUNDS * _MORE
    assert (verdict.handed_off, verdict.uncertain) == (total, 0)
    assert flapping.taken
    assert len(sink.taken) > total / 2
    assert connections < total / 2
    tries = Delivery.objects.annotate(tries=Count("attempts"))
    assert not tries.filter(tries__gt=2).exists()
