"""Row 1: the web front dies while it takes submissions."""

from uuid import UUID

import pytest

from notifications.models import Message
from tests.faults.client import Client, in_parallel
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer

KEYS = [f"key-{number}" for number in range(200)]
KILLED_AFTER = 60


@pytest.mark.quick
@pytest.mark.faults("1", "web killed -9 in the middle of 200 submissions")
def test_what_was_answered_is_stored_and_a_retry_makes_no_second_message(
    row: Row, sink: SmtpPeer
) -> None:
    with row.system(by_smtp(sink)) as system:
        system.start_web()
        client = Client.of(row.owner(), system.port)

        def submit_or_kill(key: str) -> UUID | None:
            if key == KEYS[KILLED_AFTER]:
                system.kill("web")
            return client.submit(key)

        answered = {key: id_ for key, id_ in in_parallel(submit_or_kill, KEYS).items() if id_}
        assert 0 < len(answered) < len(KEYS)
        stored = set(Message.objects.values_list("id", flat=True))
        assert set(answered.values()) <= stored

        system.start_web()
        retried = in_parallel(client.insist, KEYS)
        assert answered.items() <= retried.items()
        row.accepted.update(retried.values())
        system.start_worker()
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.messages, verdict.handed_off) == (200, 200)
