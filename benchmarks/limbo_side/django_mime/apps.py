"""Puts the builder in the place of Limbo's, when the worker starts."""

from unittest.mock import patch

from django.apps import AppConfig


class DjangoMimeConfig(AppConfig):
    """A benchmark's application."""

    name = "benchmarks.limbo_side.django_mime"

    def ready(self) -> None:
        """Replace `build_mime` where the SMTP transport has it."""
        # models can be imported only once the applications are ready
        from benchmarks.limbo_side.django_mime.build import build_mime

        patch("notifications.delivery.transports.letter.build_mime", build_mime).start()
