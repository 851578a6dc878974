"""`manage.py qcluster`: the worker, once it is sure that it can work."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from notifications.checks import run_worker_checks
from notifications.queue.cluster import run_cluster


class Command(BaseCommand):
    """Our cluster of django-q2's processes, in the place of django-q2's own command."""

    help = "Starts a worker: a cluster of processes that send mail and do ordinary tasks."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Check, then serve until SIGTERM. Raises SystemCheckError."""
        run_worker_checks()
        sys.exit(run_cluster())
