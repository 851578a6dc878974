"""Loses the wake-ups of the process that runs it: the web front's."""

from unittest.mock import patch

from django.apps import AppConfig


class LostWakeupsConfig(AppConfig):
    """A benchmark's application."""

    name = "benchmarks.limbo_side.lost_wakeups"

    def ready(self) -> None:
        """Let nothing be announced, for as long as the process runs."""
        patch("notifications.models.wakeup._Notifier.ask").start()
