"""Whether Limbo can do its work now: what `/ready` answers."""

from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now

from notifications.models import Heartbeat

WORKER_SILENCE = timedelta(seconds=30)
"""A worker whose last proof of progress is older does not count."""


def find_faults() -> dict[str, str]:
    """What keeps Limbo from working, by the name of the check; empty when it is ready."""
    try:
        pending = _pending_migrations()
        if pending:
            return {"migrations": f"{pending} migrations are not applied."}
        if not _has_live_worker():
            silence = int(WORKER_SILENCE.total_seconds())
            return {"worker": f"No worker has made progress in the last {silence} seconds."}
    except (DatabaseError, InterfaceError) as error:
        return {"database": f"The database does not answer: {type(error).__name__}."}
    return {}


def _pending_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _has_live_worker() -> bool:
    # by the database's clock, which also wrote the time
    return Heartbeat.objects.filter(beat_at__gt=Now() - WORKER_SILENCE).exists()
