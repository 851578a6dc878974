"""Row 25: the database's clock and the worker's are ten minutes apart."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from notifications.models import Message
from tests.faults.client import Client
from tests.faults.own_postgres import OwnPostgres, in_place_of_the_test_database
from tests.faults.row import Row
from tests.faults.skew import skew
from tests.faults.steps import by_smtp, waits_end
from tests.peers import SmtpPeer, reply

_APART = timedelta(minutes=10)
_MESSAGES = 30


@pytest.fixture(params=[_APART, -_APART], ids=["database ahead", "database behind"])
def own_postgres(
    request: pytest.FixtureRequest, django_db_blocker: object, tmp_path: Path
) -> Iterator[OwnPostgres]:
    """A PostgreSQL whose clock is wrong."""
    server = OwnPostgres(tmp_path)
    server.start()
    skew(server, request.param)
    with in_place_of_the_test_database(server, django_db_blocker):
        yield server


@pytest.mark.faults("25", "database clock and worker clock 10 min apart")
def test_nothing_is_sent_twice_and_nothing_is_stuck(row: Row, own_postgres: OwnPostgres) -> None:
    busy = [reply("451 4.3.0 try again")]
    with SmtpPeer(on={"dot": busy}) as sink, row.system(by_smtp(sink)) as system:
        system.start_web()
        system.start_worker()
        client = Client.of(row.owner(), system.port)
        row.accepted |= {client.insist(f"key-{number}") for number in range(_MESSAGES)}
        told = Message.objects.earliest("accepted_at").accepted_at - timezone.now()
        assert abs(told) > _APART / 2
        waits_end(row)
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
