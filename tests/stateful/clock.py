"""Letting time pass, and beginning anew: what a test does to the whole database."""

from django.apps import apps
from django.db import connection

_TIMES = {
    "message": ("due_at", "lease_until", "expires_at"),
    "delivery": ("due_at", "finalized_at"),
    "handoff": ("started_at", "ended_at"),
    "provider": ("closed_until", "breaker_until", "probe_until", "window_started_at"),
    "idempotencykey": ("created_at",),
}
"""The times that something is measured from. Events keep theirs: history is never changed."""


def let_pass(seconds: float) -> None:
    """Make everything older by `seconds`: what is compared with now() cannot tell."""
    with connection.cursor() as cursor:
        for table, columns in _TIMES.items():
            steps = ", ".join(f"{c} = {c} - %(s)s * interval '1 second'" for c in columns)
            cursor.execute(f"UPDATE notifications_{table} SET {steps}", {"s": seconds})


def begin_anew() -> None:
    """Empty every table of Limbo's; far quicker than a new database."""
    models = apps.get_app_config("notifications").get_models()
    tables = ", ".join(model._meta.db_table for model in models)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
