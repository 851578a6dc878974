"""Row 18: of five recipients a provider refuses one for good and one for now."""

import pytest

from notifications.models import Delivery, State
from tests.faults.row import Row
from tests.faults.steps import by_smtp, waits_end
from tests.peers import SmtpPeer, reply

GONE = {"reader1@example.org": "550 5.1.1 no such user"}
LATER = [None, None, reply("450 4.2.1 mailbox busy")]
"""What the recipients get that are not gone, in turn: readers 0, 2 and 3, and so on."""


@pytest.mark.quick
@pytest.mark.faults("18", "provider A refuses 1 of 5 recipients for good, 1 for now")
def test_three_go_at_once_one_is_rejected_and_one_goes_later(row: Row) -> None:
    with SmtpPeer(on={"rcpt": LATER}, refuse=GONE) as sink:
        row.submit(1, recipients=5)
        with row.system(by_smtp(sink)) as system:
            system.start_worker()
            waits_end(row)
            row.drain()
            verdict = row.judge(sink)
    assert sink.commands.count("DATA") == 2
    first, second = sink.taken
    assert set(first.recipients) == {f"reader{number}@example.org" for number in (0, 2, 4)}
    assert second.recipients == ("reader3@example.org",)
    assert first.message["To"] == second.message["To"]
    assert Delivery.objects.get(address="reader1@example.org").state == State.REJECTED
    assert (verdict.handed_off, verdict.uncertain) == (4, 0)
