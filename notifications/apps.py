"""The application's start: system checks and signal receivers."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as global_apps
from django.db.models.signals import post_migrate


class NotificationsConfig(AppConfig):
    """Limbo's one application."""

    name = "notifications"
    verbose_name = "Limbo"

    def ready(self) -> None:
        """Register what Django finds only when it is imported."""
        for module in (
            "notifications.checks",
            "notifications.delivery.checks",
            "notifications.delivery.journal_folder",
            "notifications.intake.checks",
            "notifications.tracking.checks",
            "notifications.tracking.receivers",
            "notifications.webhooks.work",
        ):
            import_module(module)
        post_migrate.connect(_make_provider_rows, sender=self)
        post_migrate.connect(_sync_roles, sender=self)


def _make_provider_rows(**_kwargs: Any) -> None:
    """Give each configured provider its row, as soon as there is a table for it."""
    # models can be imported only once the applications are ready
    providers = import_module("notifications.delivery.providers")
    providers.sync_rows()


def _sync_roles(*, apps: Apps = global_apps, **_kwargs: Any) -> None:
    """Bring staff's roles up to date, as soon as there is a table for them."""
    if "role" in apps.all_models["notifications"]:
        import_module("notifications.admin.roles").sync_roles()
