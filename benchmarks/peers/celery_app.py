"""Celery as its documentation starts it with Django: one task a message."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.settings")

app = Celery("peer")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task  # type: ignore[untyped-decorator]
def send(subject: str, body: str, sender: str, recipients: list[str]) -> None:
    """Send one message with Django's own backend."""
    # Django must be set up first, which Celery does when its worker starts
    from django.core.mail import send_mail

    send_mail(subject, body, sender, recipients)
