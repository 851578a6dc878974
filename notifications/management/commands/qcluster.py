"""`manage.py qcluster`: the worker, once it is sure that it can work."""

from typing import Any

from django_q.management.commands.qcluster import Command as ClusterCommand

from notifications.checks import run_startup_checks


class Command(ClusterCommand):
    """django-q2's cluster, after every check has passed, the database's among them."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, then serve until SIGTERM. Raises SystemCheckError."""
        run_startup_checks()
        super().handle(*args, **options)
