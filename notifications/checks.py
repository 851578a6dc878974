"""System checks of what must hold before Limbo starts, whatever it is that starts."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import connections
from django.db.utils import DatabaseError

from notifications import failpoints

SECRET_KEY_CHARACTERS = 50
"""As many as Django's own generator makes; it signs sessions and tasks."""

POSTGRESQL = 15_00_00
"""The oldest server that Limbo is tested on."""

WORKER = "limbo_worker"
"""The tag of what only a worker needs."""

_DURABLE = {
    "fsync": "An accepted message would not survive a crash of the machine.",
    "full_page_writes": "A crash in the middle of a write could damage accepted messages.",
    "synchronous_commit": "A message could be answered as accepted before it is on disk.",
}
"""What must not be "off" (PostgreSQL's manual, 28.1), and what it would break."""


def run_startup_checks() -> None:
    """Run every system check, the database's among them.

    For processes that Django's commands do not start, or that check no database. Raises
    SystemCheckError, whose text says what is wrong and what mends it.
    """
    BaseCommand(no_color=True).check(databases=list(connections))


def run_worker_checks() -> None:
    """Run every system check, and those of what only a worker needs. Raises SystemCheckError."""
    run_startup_checks()
    BaseCommand(no_color=True).check(tags=[WORKER], include_deployment_checks=True)


@register("limbo")
def check_settings(**_kwargs: Any) -> list[CheckMessage]:
    """Whatever would be unsafe for a public service."""
    return list(_unsafe_settings())


def _unsafe_settings() -> Iterator[CheckMessage]:
    if len(_secret_key()) < SECRET_KEY_CHARACTERS:
        yield Error(
            f"SECRET_KEY is missing or shorter than {SECRET_KEY_CHARACTERS} characters.",
            hint="Set it, or SECRET_KEY_FILE, to a long random string and keep it secret.",
            id="limbo.E010",
        )
    for name in ("LIMBO_REQUESTS_PER_SECOND", "LIMBO_MESSAGES_PER_DAY"):
        if getattr(settings, name) < 0:
            yield Error(
                f"{name} is negative: nobody could submit anything.",
                hint="Set it to how many one user may have, or to 0 for as many as come.",
                id="limbo.E016",
            )
    if settings.LIMBO_LOCAL:
        return
    if settings.DEBUG:
        yield Error(
            "DEBUG is on: errors would show settings and bodies to everyone.",
            hint="Unset DEBUG, or set LIMBO_LOCAL=1 on a machine that only you can reach.",
            id="limbo.E011",
        )
    if not settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS is empty: every request would be refused.",
            hint="Set it to the host names, comma-separated, under which Limbo is reached.",
            id="limbo.E012",
        )
    if failpoints.is_armed():
        yield Error(
            f"{failpoints.VARIABLE} is set: it makes processes die on purpose.",
            hint=f"Unset {failpoints.VARIABLE}; it is for tests on a machine of one's own.",
            id="limbo.E013",
        )


def _secret_key() -> str:
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        # Django's own word for an empty one
        return ""


@register(Tags.database)
def check_database(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """An accepted message survives whatever the database's disk survives."""
    return [message for alias in databases or () for message in _check_server(alias)]


def _check_server(alias: str) -> list[CheckMessage]:
    names = ("server_version_num", *_DURABLE)
    try:
        with connections[alias].temporary_connection() as cursor:
            cursor.execute("SELECT current_setting(n) FROM unnest(%s::text[]) n", [list(names)])
            values = dict(zip(names, (row[0] for row in cursor.fetchall()), strict=True))
    except DatabaseError as error:
        return [
            Error(
                f"The database cannot be reached: {error}",
                hint="Set DATABASE_URL to a PostgreSQL server that is up.",
                id="limbo.E020",
            )
        ]
    return [*_too_old(int(values["server_version_num"])), *_forgetful(values)]


def _too_old(version: int) -> Iterator[CheckMessage]:
    if version < POSTGRESQL:
        yield Error(
            f"PostgreSQL {version // 10000} is too old.",
            hint=f"Limbo needs PostgreSQL {POSTGRESQL // 10000} or newer.",
            id="limbo.E021",
        )


def _forgetful(values: dict[str, str]) -> Iterator[CheckMessage]:
    # a server of a machine of one's own may be a throw-away one, as the tests' is
    if settings.LIMBO_LOCAL:
        return
    for name, danger in _DURABLE.items():
        if values[name] == "off":
            yield Error(
                f"PostgreSQL's {name} is off. {danger}",
                hint=f"Set {name} to on for Limbo's role, its database or the server.",
                id="limbo.E022",
            )
