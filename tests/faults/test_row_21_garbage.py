"""Row 21: an HTTP provider answers 200, and nobody can read what."""

import pytest

from notifications.models import Handoff, Outcome
from tests.faults.row import Row, quick
from tests.faults.steps import by_postmark, by_smtp
from tests.peers import Answer, HttpPeer, SmtpPeer

ANSWERS = {
    "garbage": Answer(200, "<html>thank you</html>"),
    "empty": Answer(200, ""),
    "truncated": Answer(200, '{"MessageID": "0a12', missing=100),
}


@pytest.mark.faults("21", "HTTP provider answers 200 with a body that cannot be read")
@pytest.mark.parametrize("body", ["garbage", "empty", quick("truncated")])
def test_it_is_uncertain_and_the_body_is_kept_for_staff(
    row: Row, sink: SmtpPeer, body: str
) -> None:
    with HttpPeer(ANSWERS[body]) as mumbling:
        row.submit(1)
        with row.system(f"{by_postmark(mumbling)}&weight=1000,{by_smtp(sink)}") as system:
            system.start_worker()
            row.drain()
            verdict = row.judge(mumbling, sink)
    assert (verdict.uncertain, verdict.handed_off) == (1, 1)
    handoff = Handoff.objects.get()
    assert (handoff.outcome, handoff.code) == (Outcome.UNCERTAIN, 200)
    assert ANSWERS[body].body in handoff.answer
