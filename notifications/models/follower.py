"""Follower: how far one reader of all events has come."""

from django.db import models


class Follower(models.Model):
    """A part of Limbo that makes something of every event, in the order of their positions."""

    name = models.CharField(max_length=32, primary_key=True)
    position = models.BigIntegerField(default=0, help_text="The last position it has read.")

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"
