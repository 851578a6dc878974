"""A real PostgreSQL for every test, and the waiting that replaces sleeps."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

import environ
import pytest
from django.conf import settings
from django.db import OperationalError, connections
from pytest_django import DjangoDbBlocker

from limbo.postgres.base import DatabaseOperations

T = TypeVar("T")

# nothing survives the tests, so nothing need reach the disk
_THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

# tests/faults proves by it that a hand-off was committed before its sink saw it
_EVIDENCE = {"track_commit_timestamp": "on"}


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The server the tests run on: `DATABASE_URL`, or one of their own."""
    with ExitStack() as stack:
        url = os.environ.get("DATABASE_URL")
        if not url:
            from limbo.local.postgres import LocalPostgres

            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="limbo-test-"))
            server = LocalPostgres(Path(folder) / "postgres", settings=_THROW_AWAY | _EVIDENCE)
            url = stack.enter_context(server).url
        yield url


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_url: str) -> None:
    """Point Django at the tests' server before it makes the test database."""
    connections.settings["default"].update(
        environ.Env.db_url_config(postgres_url, engine="limbo.postgres")
    )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let tests empty their tables, and the wake-up's connection end by itself before the drop."""
    from notifications.models import StaffAction, triggers

    with django_db_blocker.unblock():
        triggers.never_emptied().disable(StaffAction)  # type: ignore[arg-type]
    yield
    wait_until(lambda: "wakeup" not in {thread.name for thread in threading.enumerate()})


@pytest.fixture(scope="session", autouse=True)
def patient_flush() -> Iterator[None]:
    """Empty the tables once more where a process that still reads came in between.

    TRUNCATE locks one table after the other, so any query may meet it in a deadlock: that of a long
    poll, say, whose client was killed.
    """
    flush = DatabaseOperations.execute_sql_flush

    def flush_patiently(operations: DatabaseOperations, statements: list[str]) -> None:
        for _ in range(3):
            with suppress(OperationalError):
                flush(operations, statements)
                return
        flush(operations, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_patiently)
        yield


@pytest.fixture(scope="session", autouse=True)
def journal_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this process's journal lies, and no other's."""
    folder = tmp_path_factory.mktemp("journal")
    settings.LIMBO_JOURNAL_DIR = folder
    return folder


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], T]], T]:
    """Wait until a condition holds, and return its value."""
    return wait_until


def wait_until(condition: Callable[[], T], *, seconds: float = 30.0) -> T:
    """Ask `condition` until it is truthy; fails after `seconds` with its last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"{condition} did not hold within {seconds:g} s; last seen: {value!r}")
        time.sleep(0.02)
    return value
