"""A database whose clock is ahead of, or behind, everybody else's.

A container shares its host's clock, and one process alone cannot be given another one. So the
functions by which SQL asks for the time are put in front of PostgreSQL's own, for every session of
Limbo's role and before the migrations run, so that column defaults call them too. That covers all
that Limbo asks the database: claim, lease, sweep, backoff, deadlines, times of events. It does not
cover PostgreSQL's own bookkeeping, such as `pg_stat_activity` and commit timestamps, which stays
with the sinks' clock: by it the judge compares.
"""

from datetime import timedelta

from limbo.local.postgres import ROLE
from tests.faults.own_postgres import OwnPostgres

_CLOCKS = ("now", "statement_timestamp", "transaction_timestamp", "clock_timestamp")


def skew(server: OwnPostgres, by: timedelta) -> None:
    """Move the clock of the server's database by so much; call it before the migrations."""
    server.as_superuser(f"CREATE SCHEMA skewed AUTHORIZATION {ROLE}", database=ROLE)
    for clock in _CLOCKS:
        body = f"SELECT pg_catalog.{clock}() + interval '{by.total_seconds()} seconds'"
        server.as_superuser(
            f"CREATE FUNCTION skewed.{clock}() RETURNS timestamptz LANGUAGE sql STABLE"
            f" AS $${body}$$",
            database=ROLE,
        )
    server.as_superuser(f"ALTER ROLE {ROLE} SET search_path = skewed, pg_catalog, public")
