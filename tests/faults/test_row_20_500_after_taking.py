"""Row 20: an HTTP provider takes a message, and answers 500."""

import pytest

from notifications.models import Handoff
from tests.conftest import wait_until
from tests.faults.records import Received, Step, received_by
from tests.faults.row import Row
from tests.faults.steps import are_claimed, by_postmark, by_smtp, repeats_are_due
from tests.peers import Answer, HttpPeer, SmtpPeer, resend

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


def once_a_key(peer: HttpPeer) -> list[Received]:
    """What a provider took that knows its keys again: a repeat under one is no second copy."""
    keys = [request.headers["idempotency-key"] for request in peer.requests]
    records = zip(keys, received_by(peer), strict=True)
    taken = {key: record for key, record in records if record.step is Step.TAKEN}
    return list(taken.values())


@pytest.mark.quick
@pytest.mark.faults("20", "the same, with an idempotency key")
@pytest.mark.parametrize(
    ("then", "doubts"),
    [(None, 0), (Answer(422, '{"message": "no"}'), 1)],
    ids=["repeat accepted", "repeat refused"],
)
def test_it_is_repeated_under_its_key_and_only_an_acceptance_settles_it(
    row: Row, sink: SmtpPeer, then: Answer | None, doubts: int
) -> None:
    with HttpPeer([Answer(500), then], speak=resend) as broken:
        row.submit(1)
        providers = f"resend=anymail-resend://KEY@/?api_url={broken.url}&weight=1000"
        with row.system(f"{providers},{by_smtp(sink)}") as system:
            system.start_worker()
            wait_until(lambda: Handoff.objects.filter(outcome="uncertain").exists())
            repeats_are_due()
            wait_until(lambda: len(broken.requests) == 2)
            wait_until(lambda: not are_claimed())
            row.drain()
            verdict = row.judge(sink, also=once_a_key(broken))
    first, second = broken.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body
    assert (verdict.handed_off, verdict.uncertain) == (1, doubts)
