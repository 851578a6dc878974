"""Row 9: PostgreSQL is restarted while messages come in and go out."""

import pytest

from tests.conftest import wait_until
from tests.faults.client import Client
from tests.faults.load import Load
from tests.faults.own_postgres import OwnPostgres
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.faults.steps import by_smtp

_BEFORE = 100
_AFTER = 200


@pytest.mark.faults("9", "PostgreSQL restarted under load")
def test_both_ends_recover_by_themselves(row: Row, own_postgres: OwnPostgres) -> None:
    with SinkProcess(row.folder) as sink, row.system(by_smtp(sink)) as system:
        system.start_web()
        system.start_worker()
        client = Client.of(row.owner(), system.port)
        started = [system.pid("web"), system.pid("worker")]
        with Load(client) as load:
            wait_until(lambda: len(sink.received()) > _BEFORE, seconds=60)
            own_postgres.restart()
            wait_until(lambda: len(load.accepted) > _BEFORE + _AFTER, seconds=120)
        row.accepted = load.accepted
        row.drain(seconds=180)
        assert [system.exit_code(name) for name in ("web", "worker")] == [None, None]
        assert [system.pid("web"), system.pid("worker")] == started
        verdict = row.judge(sink)
    refused = [reply for reply in client.replies if not reply.is_success]
    assert {reply.status for reply in refused} <= {503}
    assert all(int(reply.headers["retry-after"]) > 0 for reply in refused)
    assert (verdict.uncertain, verdict.handed_off) == (0, len(row.accepted))
