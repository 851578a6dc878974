"""Heartbeat: the sign that a worker takes up work, and not only lives."""

from django.db import models


class Heartbeat(models.Model):
    """One cluster's last proof of progress: a task that went the whole way to a worker."""

    cluster = models.CharField(max_length=128, primary_key=True, help_text="Host and process id.")
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.cluster} at {self.beat_at:%H:%M:%S}"
