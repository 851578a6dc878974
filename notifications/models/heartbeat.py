"""Heartbeat: the sign that a worker takes up work, and not only lives."""

from datetime import timedelta

from django.db import connection, models
from django.db.models.functions import Now

STALE_AFTER = timedelta(seconds=30)
"""Without a beat for so long a cluster is taken for stuck."""

_FORGET_AFTER = timedelta(days=1)


class HeartbeatManager(models.Manager["Heartbeat"]):
    """Beating, and asking who beats."""

    def beat(self, cluster: str) -> None:
        """Note that a worker of `cluster` has just taken up work; one statement."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO notifications_heartbeat (cluster, started_at, beat_at)
                VALUES (%s, now(), now())
                ON CONFLICT (cluster) DO UPDATE SET beat_at = now()
                """,
                [cluster],
            )

    def is_alive(self) -> bool:
        """Whether any cluster has made progress lately, by the database's clock."""
        return self.alive().exists()

    def alive(self) -> models.QuerySet["Heartbeat"]:
        """The clusters that have made progress lately."""
        return self.filter(beat_at__gt=Now() - STALE_AFTER)

    def forget_old(self) -> None:
        """Remove clusters that ended long ago."""
        self.filter(beat_at__lt=Now() - _FORGET_AFTER).delete()


class Heartbeat(models.Model):
    """One cluster's last proof of progress: a task that went the whole way to a worker."""

    cluster = models.CharField(max_length=128, primary_key=True, help_text="Host and process id.")
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    objects = HeartbeatManager()

    def __str__(self) -> str:
        return f"{self.cluster} at {self.beat_at:%H:%M:%S}"
