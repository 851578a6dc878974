"""Row 11: PostgreSQL is read-only, or its disk is full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from notifications.models import Message
from tests.conftest import wait_until
from tests.faults.client import Client
from tests.faults.own_postgres import OwnPostgres, in_place_of_the_test_database
from tests.faults.row import Row
from tests.faults.steps import by_smtp
from tests.peers import SmtpPeer

_DISK = "160m"
"""Enough for a new cluster, the migrations and the WAL."""

LARGE = "x" * 2_000_000
"""A body that needs new pages at once, where a small one may find room in an old one."""


@pytest.fixture
def own_postgres(django_db_blocker: object, small_disk: Path) -> Iterator[OwnPostgres]:
    """A PostgreSQL on a disk of its own, which is soon full."""
    server = OwnPostgres(small_disk, {"max_wal_size": "48MB", "min_wal_size": "32MB"})
    with in_place_of_the_test_database(server, django_db_blocker):
        yield server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 MB, where this system lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=755", "limbo-row-11", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.faults("11", "PostgreSQL read-only")
def test_read_only_is_answered_503_and_stores_nothing(
    row: Row, own_postgres: OwnPostgres, sink: SmtpPeer
) -> None:
    with row.system(by_smtp(sink)) as system:
        system.start_web()
        system.start_worker()
        client = Client.of(row.owner(), system.port)
        row.accepted.add(client.insist("before"))
        own_postgres.as_superuser("ALTER SYSTEM SET default_transaction_read_only = on")
        own_postgres.as_superuser("SELECT pg_reload_conf()")
        wait_until(lambda: client.submit("during") is None, seconds=60)
        refused = client.replies[-1]
        own_postgres.as_superuser("ALTER SYSTEM RESET default_transaction_read_only")
        own_postgres.as_superuser("SELECT pg_reload_conf()")
        row.accepted.add(client.insist("during"))
        row.drain()
        verdict = row.judge(sink)
    assert refused.status == 503
    assert refused.json["type"].endswith("/docs/errors/unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert verdict.handed_off == verdict.messages == 2


@pytest.mark.faults("11", "PostgreSQL disk full")
def test_a_full_disk_is_answered_503_and_leaves_no_half_message(
    row: Row, own_postgres: OwnPostgres, small_disk: Path, sink: SmtpPeer
) -> None:
    ballast = small_disk / "ballast"
    with row.system(by_smtp(sink)) as system:
        system.start_web()
        system.start_worker()
        client = Client.of(row.owner(), system.port)
        row.accepted.add(client.insist("before"))
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 65536)
        keys = [f"full-{number}" for number in range(10)]
        replies = [client.post(key, LARGE) for key in keys]
        refused = [reply for reply in replies if not reply.is_success]
        assert {reply.status for reply in refused} == {503}
        assert all(int(reply.headers["retry-after"]) > 0 for reply in refused)
        row.accepted |= {reply.message_id for reply in replies if reply.is_success}
        ballast.unlink()
        own_postgres.revive()
        row.accepted |= {client.insist(key, LARGE) for key in keys}
        row.drain()
        verdict = row.judge(sink)
    assert verdict.messages == verdict.handed_off == 1 + len(keys)
    assert Message.objects.filter(content__isnull=True).count() == 0
    assert Message.objects.filter(deliveries__isnull=True).count() == 0
