"""Row 10: PostgreSQL is gone between a provider's answer and the record of it."""

import time

import pytest

from notifications.models import Delivery, State
from notifications.models.lease import LEASE_SECONDS
from tests.conftest import wait_until
from tests.faults.gate import Gate
from tests.faults.own_postgres import OwnPostgres
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer

_GONE_SECONDS = LEASE_SECONDS + 30
_MESSAGES = 8
"""As many as one worker has threads: all are on the wire when the database goes."""


@pytest.mark.faults("10", "PostgreSQL gone for 90 s between the 2xx and the outcome commit")
def test_what_is_known_is_recorded_when_the_database_is_back(
    row: Row, own_postgres: OwnPostgres
) -> None:
    gate = Gate()
    with SmtpPeer(on={"dot": gate.action}) as sink, row.system(by_smtp(sink)) as system:
        row.submit(_MESSAGES)
        system.start_worker()
        wait_until(lambda: len(sink.ended) == _MESSAGES, seconds=60)
        own_postgres.stop()
        gate.open()
        back_at = time.monotonic() + _GONE_SECONDS
        wait_until(lambda: time.monotonic() > back_at, seconds=_GONE_SECONDS + 30)
        own_postgres.start()
        wait_until(
            lambda: Delivery.objects.filter(state=State.SENT).count() == _MESSAGES, seconds=60
        )
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
