"""Row 9: PostgreSQL is restarted while messages come in and go out."""

import threading
from itertools import count
from typing import Self
from uuid import UUID

import pytest

from tests.conftest import wait_until
from tests.faults.client import Client
from tests.faults.own_postgres import OwnPostgres
from tests.faults.row import Row
from tests.faults.sink import SinkProcess
from tests.faults.steps import by_smtp

_WRITERS = 4
_BEFORE = 100
_AFTER = 200


class Load:
    """Writers that go on submitting, each message until it is taken; a context manager."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._keys = count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(_WRITERS)]
        self.accepted: set[UUID] = set()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        while not self._over.is_set():
            self.accepted.add(self._client.insist(f"key-{next(self._keys)}"))


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
    refused = [reply for reply in client.replies if reply.status not in range(200, 300)]
    assert {reply.status for reply in refused} <= {503}
    assert all(int(reply.headers["Retry-After"]) > 0 for reply in refused)
    assert (verdict.uncertain, verdict.handed_off) == (0, len(row.accepted))
