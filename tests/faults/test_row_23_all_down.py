"""Row 23: every provider is down for ten minutes, then back.

The ten minutes are told, not waited for: `time_passes` moves back the times that the queue and the
breakers wait for. The processes, their waits and the providers are real.
"""

from collections import Counter
from contextlib import ExitStack

import pytest

from notifications.models import Delivery, Handoff, Provider
from tests.conftest import wait_until
from tests.e2e.system import free_port
from tests.faults.proxy import Proxy
from tests.faults.row import Row
from tests.faults.steps import by_smtp, is_at_rest, time_passes
from tests.peers import SmtpPeer

_MESSAGES = 200
_DOWN = 600
_STEP = 30
_HALF_AN_HOUR = 1800
_LONGEST_WAIT = 4 * 3600


@pytest.mark.faults("23", "all providers down for 10 min, then back")
def test_messages_wait_apart_from_each_other_and_all_are_sent(row: Row, sink: SmtpPeer) -> None:
    with ExitStack() as stack:
        ways = [stack.enter_context(Proxy(free_port())) for _ in range(2)]
        row.submit(_MESSAGES)
        system = stack.enter_context(row.system(by_smtp(*ways)))
        system.start_worker()
        wait_until(lambda: Delivery.objects.filter(backoffs__gt=0).count() == _MESSAGES, seconds=60)
        for _ in range(_DOWN // _STEP):
            pass_on(_STEP)
        assert not sink.taken
        assert_was_left_alone()
        for way in ways:
            way.target = sink.port
        herds = [taken_within(_STEP, sink) for _ in range(_HALF_AN_HOUR // _STEP)]
        for _ in range(_LONGEST_WAIT // _DOWN + 1):
            pass_on(_DOWN)
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
    assert max(herds) < _MESSAGES / 4 < sum(herds)
    assert set(Provider.objects.values_list("breaker_until", flat=True)) == {None}


def pass_on(seconds: float) -> None:
    """Let time pass, and whatever has its time now be tried."""
    time_passes(seconds)
    wait_until(is_at_rest, seconds=60)


def taken_within(seconds: float, sink: SmtpPeer) -> int:
    """How many messages come in while so much time passes."""
    before = len(sink.taken)
    pass_on(seconds)
    return len(sink.taken) - before


def assert_was_left_alone() -> None:
    """The breakers let the first few through and then a probe at a time: no hammering."""
    tries = Counter(Handoff.objects.exclude(ended_at=None).values_list("provider__name", "reading"))
    assert all(
        count < _MESSAGES / 2 for (_, reading), count in tries.items() if reading != "closed"
    )
