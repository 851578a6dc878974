"""The database backend; Django looks for it under this name."""

import select
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations
from django.db.backends.utils import CursorWrapper

from limbo.postgres.uuid_array import UuidArray, UuidArrayDumper

_TRUSTED_SECONDS = 1.0


class DatabaseOperations(operations.DatabaseOperations):
    """PostgreSQL's, which also tell the text of a statement whose parameters travelled apart."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """The statement as it was sent; for a prepared one with its placeholders."""
        return super().last_executed_query(cursor, sql, params) or str(sql)


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, with cheaper checks of persistent connections, and with prepared statements.

    With CONN_HEALTH_CHECKS Django asks `SELECT 1` before the first query of each request, which
    costs as much as a small query. A server that ended a connection has said so, though: then there
    is something to read. Only a connection that was not asked for a second is asked, since a
    network may drop an idle one without a word.
    """

    ops_class = DatabaseOperations
    _worked_at = 0.0

    def init_connection_state(self) -> None:
        """Let `prepared_cursor` work; no other cursor of Django's prepares anything."""
        super().init_connection_state()
        self.connection.adapters.register_dumper(UuidArray, UuidArrayDumper)
        self.connection.prepare_threshold = 0
        # planning such a statement anew for its parameters costs more than running it; its plan is
        # for small tables too, since it stays when they have grown
        self.connection.execute(
            "SELECT set_config('plan_cache_mode', 'force_generic_plan', false),"
            " set_config('enable_seqscan', 'off', false)"
        )
        # Django makes it an autocommitting one only afterwards
        self.connection.commit()

    def prepared_cursor(self, *, is_numbered: bool = False) -> CursorWrapper:
        """A cursor whose statements the server parses and plans once for each connection.

        For large statements that run all the time: parameters travel apart from the statement, and
        are of the same types every time. `is_numbered`: they are called $1, $2 and so on there. As
        `cursor()` otherwise.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        kind = psycopg.RawCursor if is_numbered else psycopg.Cursor
        cursor: Any = kind(self.connection)
        return self.make_debug_cursor(cursor) if self.queries_logged else self.make_cursor(cursor)

    def is_usable(self) -> bool:
        """Whether the connection works."""
        now = time.monotonic()
        if now - self._worked_at < _TRUSTED_SECONDS and self._is_quiet():
            return True
        works = bool(super().is_usable())
        if works:
            self._worked_at = now
        return works

    def _is_quiet(self) -> bool:
        """Whether the connection is open and the server has said nothing unasked."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
