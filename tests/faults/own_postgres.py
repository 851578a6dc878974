"""A PostgreSQL that one row has for itself, to stop, restart and break."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import environ
import psycopg
from django.core.management import call_command
from django.db import connection

from limbo.local.postgres import SUPERUSER, LocalPostgres
from tests.conftest import wait_until

_SETTINGS = {"track_commit_timestamp": "on"}


class OwnPostgres:
    """One server with its data in `folder`; its settings are the safe ones, as in production."""

    def __init__(self, folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self._server = LocalPostgres(folder / "postgres", settings={**_SETTINGS, **settings})

    @property
    def url(self) -> str:
        """Where Django reaches its database."""
        return self._server.url

    def start(self) -> None:
        """Start it, on the port it had."""
        self._server.start()

    def stop(self) -> None:
        """End it: open transactions are rolled back, every connection breaks."""
        connection.close()
        self._server.stop()

    def restart(self) -> None:
        """End it and start it again."""
        self.stop()
        self.start()

    def crash(self) -> None:
        """End it as a crash does, without a word to anybody or a checkpoint, and start it again."""
        connection.close()
        os.kill(self._server.pid, signal.SIGQUIT)
        wait_until(lambda: self._server.exit_code() is not None)
        self.start()

    def revive(self) -> None:
        """Start it again if it has given up by itself."""
        if self._server.exit_code() is not None:
            self.restart()

    def as_superuser(self, statement: str, *, database: str = SUPERUSER) -> None:
        """Run a statement that only the superuser may."""
        parameters = environ.Env.db_url_config(self.url)
        with psycopg.connect(
            host=parameters["HOST"],
            port=parameters["PORT"],
            user=SUPERUSER,
            password=self._server._opened().superuser_password,
            dbname=database,
            autocommit=True,
        ) as superuser:
            superuser.execute(psycopg.sql.SQL(statement))


@contextmanager
def in_place_of_the_test_database(server: OwnPostgres, blocker: Any) -> Iterator[OwnPostgres]:
    """Start the server, migrate its database, and point Django at it for the while."""
    test_database = connection.settings_dict
    server.start()
    connection.close()
    connection.settings_dict = {**test_database, **environ.Env.db_url_config(server.url)}
    try:
        with blocker.unblock():
            call_command("migrate", verbosity=0)
            yield server
            connection.close()
    finally:
        connection.settings_dict = test_database
        server.stop()
