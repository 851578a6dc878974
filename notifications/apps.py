"""The application's start: system checks and signal receivers."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Limbo's one application."""

    name = "notifications"
    verbose_name = "Limbo"

    def ready(self) -> None:
        """Register what Django finds only when it is imported."""
