"""Row 17: a provider is busy, closes its service, or greylists."""

import pytest

from notifications.models import Attempt, Outcome
from tests.faults.row import Row, quick
from tests.faults.steps import by_smtp, waits_end
from tests.peers import SmtpPeer, reply

BUSY = {
    "421 greeting": {"greeting": reply("421 4.3.2 closing")},
    "450 greylisted": {"rcpt": reply("450 4.7.1 greylisted, come back later")},
    "452 full": {"mail": reply("452 4.3.1 disk full")},
    "451 at the dot": {"dot": reply("451 4.3.0 try again")},
}
_MESSAGES = 10

FIRST, *OTHERS = BUSY


@pytest.mark.faults("17", "provider A answers 4xx, B takes it")
@pytest.mark.parametrize("moment", [quick(FIRST), *OTHERS])
def test_the_other_provider_takes_it_at_once(row: Row, sink: SmtpPeer, moment: str) -> None:
    with SmtpPeer(on=BUSY[moment]) as busy:
        row.submit(_MESSAGES)
        with row.system(by_smtp(busy, sink)) as system:
            system.start_worker()
            row.drain()
            verdict = row.judge(busy, sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
    assert len(sink.taken) == _MESSAGES


@pytest.mark.faults("17", "provider A answers 4xx, there is no other")
@pytest.mark.parametrize("moment", BUSY)
def test_it_waits_and_is_sent_once(row: Row, moment: str) -> None:
    (when, answer), *_ = BUSY[moment].items()
    with SmtpPeer(on={when: [answer]}) as busy:
        row.submit(1)
        with row.system(by_smtp(busy)) as system:
            system.start_worker()
            waits_end(row)
            row.drain()
            verdict = row.judge(busy)
    assert (verdict.handed_off, verdict.uncertain) == (1, 0)
    outcomes = Attempt.objects.order_by("handoff_id").values_list("outcome", flat=True)
    assert list(outcomes) == [Outcome.NOT_ACCEPTED, Outcome.ACCEPTED]
