"""The PostgreSQL that everybody works on, and what a run has cost it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from limbo.local.postgres import LocalPostgres

SETTINGS = {
    # what a small server of its own would get; durability stays as PostgreSQL ships it
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Counters of a database: what a run adds to them is its cost."""

    commits: float
    wal_bytes: float
    row_writes: float
    """Rows inserted, updated and deleted."""
    disk_bytes: float

    def since(self, before: "Usage", *, messages: int) -> dict[str, float]:
        """The growth since `before`, for each of so many messages."""
        then = asdict(before)
        return {name: (now - then[name]) / messages for name, now in asdict(self).items()}


_USAGE = """
SELECT xact_commit, pg_current_wal_lsn() - '0/0'::pg_lsn,
    (SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables),
    pg_database_size(datname)
FROM pg_stat_database WHERE datname = current_database()
"""


class Database:
    """One database of the server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection in autocommit."""
        return psycopg.connect(self.url, autocommit=True)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """The rows of one query."""
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def run(self, *statements: str) -> None:
        """Run statements that return nothing."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def number(self, query: str) -> float:
        """The one number that a query returns."""
        ((value,),) = self.ask(query)
        return float(str(value))

    def settle(self) -> None:
        """Leave nothing for later that loading has made: the same start for everybody."""
        self.run("VACUUM (ANALYZE)")

    def usage(self) -> Usage:
        """The counters now. What sessions have counted arrives when they end, or are idle."""
        ((commits, wal, rows, size),) = self.ask(_USAGE)
        return Usage(*(float(str(value)) for value in (commits, wal, rows, size)))


class Server:
    """The server, with its data in `folder`: fsync and all that is on, as PostgreSQL ships it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "postgres"
        self._postgres = LocalPostgres(self._folder, settings=SETTINGS)

    @property
    def pid(self) -> int:
        """Its first process, which all its others descend from."""
        return int((self._folder / "postmaster.pid").read_text(encoding="ascii").split()[0])

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """Run it; databases that an earlier run has left are dropped."""
        with self._postgres:
            rows = self._own().ask("SELECT datname FROM pg_database WHERE datname LIKE 'bench%'")
            for (name,) in rows:
                self.drop(str(name))
            yield self

    def create(self, name: str, *, template: str = "template0") -> Database:
        """Make a database, as a copy of `template`."""
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._own().connect() as connection:
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return self.database(name)

    def drop(self, name: str) -> None:
        """Drop a database; waits a moment for whoever is just leaving it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
        for pause in (0.1, 1.0, 5.0, None):
            try:
                with self._own().connect() as connection:
                    connection.execute(drop)
            except psycopg.errors.ObjectInUse:
                if pause is None:
                    raise
                time.sleep(pause)
            else:
                return

    def rename(self, name: str, to: str) -> None:
        """Rename a database that nobody uses."""
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        with self._own().connect() as connection:
            connection.execute(rename.format(sql.Identifier(name), sql.Identifier(to)))

    def has(self, name: str) -> bool:
        """Whether there is such a database."""
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        with self._own().connect() as connection:
            return connection.execute(query, [name]).fetchone() is not None

    def database(self, name: str) -> Database:
        """A database that is there."""
        return Database(urlsplit(self._postgres.url)._replace(path=f"/{name}").geturl())

    def settings(self) -> dict[str, str]:
        """The server's settings that matter here, and its version."""
        names = ["server_version", "fsync", "synchronous_commit", "full_page_writes", *SETTINGS]
        own = self._own()
        return {name: str(own.ask(f"SHOW {name}")[0][0]) for name in names}

    def _own(self) -> Database:
        return Database(self._postgres.url)
