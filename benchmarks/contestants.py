"""Who takes part: how each is prepared, loaded and run, and how it tells that it is done."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from benchmarks.processes import LIMBO_PYTHON, PEERS_PYTHON

Arguments = tuple[str, ...]
"""What follows the interpreter; `{count}` stands for the number of messages."""

LIMBO_SETTINGS = "limbo.settings"
LIMBO_DONE = """
SELECT count(*) FROM notifications_message
WHERE state NOT IN ('sent', 'queued') OR lease_until IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to get messages out."""

    name: str
    label: str
    """As the table shows it."""
    messages: int
    """In one round: some seconds' worth."""
    python: Path
    work: Arguments
    prepare: tuple[Arguments, ...] = ()
    """Makes its tables."""
    load: Arguments = ()
    """Fills its queue."""
    waiting: str = ""
    """The query that counts what is not recorded as done; empty where nothing is recorded."""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_http: bool = False
    needs_redis: bool = False
    is_limbo: bool = False

    @property
    def has_database(self) -> bool:
        """Whether its queue is in PostgreSQL."""
        return bool(self.prepare)


def _peer(name: str, label: str, messages: int, door: str, waiting: str, *work: str) -> Contestant:
    return Contestant(
        name,
        label,
        messages,
        PEERS_PYTHON,
        work,
        prepare=(("-m", "django", "migrate", "--verbosity=0"),) if waiting else (),
        load=("-m", "benchmarks.peers.load", door, "{count}"),
        waiting=waiting,
        environment={"DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings", "PEER": name},
    )


def _limbo(
    name: str, label: str, messages: int, settings: str = LIMBO_SETTINGS, **environment: str
) -> Contestant:
    return Contestant(
        name,
        label,
        messages,
        LIMBO_PYTHON,
        ("manage.py", "qcluster"),
        prepare=(("manage.py", "migrate", "--verbosity=0"), ("-m", "benchmarks.limbo_side.begin")),
        load=("-m", "benchmarks.limbo_side.fill", "{count}"),
        waiting=LIMBO_DONE,
        environment={
            "DJANGO_SETTINGS_MODULE": settings,
            "SECRET_KEY": "only-for-benchmarks-only-for-benchmarks-only-for-benchmarks",
            "LIMBO_LOCAL": "1",
            "LOG_LEVEL": "WARNING",
            **environment,
        },
        is_limbo=True,
    )


_POST_OFFICE_WAITING = "SELECT count(*) FROM post_office_email WHERE status IS DISTINCT FROM 0"
_ORMQ_WAITING = "SELECT count(*) FROM django_q_ormq"

RAW = Contestant(
    "raw_smtplib",
    "smtplib alone: no database, ready-made bytes, 2 processes × 4 threads",
    60_000,
    LIMBO_PYTHON,
    ("-m", "benchmarks.raw_smtp", "{count}"),
)
POST_OFFICE = _peer(
    "post_office",
    "django-post_office, its defaults",
    4_000,
    "post-office",
    _POST_OFFICE_WAITING,
    *("-m", "django", "send_queued_mail"),
)
POST_OFFICE_TUNED = _peer(
    "post_office_tuned",
    "django-post_office, tuned: 4 processes, 10 threads, batch 5,000",
    15_000,
    "post-office",
    _POST_OFFICE_WAITING,
    *("-m", "django", "send_queued_mail", "--processes", "4"),
)
POST_OFFICE_TUNED = replace(
    POST_OFFICE_TUNED,
    environment={**POST_OFFICE_TUNED.environment, "PEER": "post-office-tuned"},
)
MAILER = _peer(
    "django_mailer",
    "django-mailer, `send_mail`",
    1_500,
    "mailer",
    "SELECT count(*) FROM mailer_message",
    *("-m", "django", "send_mail"),
)
Q2 = _peer(
    "django_q2",
    "django-q2, one task a message, ORM broker, 2 workers",
    300,
    "q2",
    _ORMQ_WAITING,
    *("-m", "django", "qcluster"),
)
CELERY = replace(
    _peer(
        "celery",
        "Celery and Redis, one task a message, 8 processes",
        4_000,
        "celery",
        "",
        *("-m", "celery", "-A", "benchmarks.peers.celery_app", "worker", "-c", "8", "-l", "ERROR"),
    ),
    needs_redis=True,
)
_MANY_WORKERS = {"LIMBO_WORKERS": "4"}
"""For a provider that answers at once, which is what a sink does."""

LIMBO = _limbo("limbo", "**Limbo**, everything on, 4 workers × 8 threads", 30_000, **_MANY_WORKERS)
LIMBO_DJANGO_MIME = _limbo(
    "limbo_django_mime",
    "Limbo, with Django's MIME builder in place of its own",
    15_000,
    "benchmarks.limbo_side.settings",
    BENCH_APP="benchmarks.limbo_side.django_mime",
    **_MANY_WORKERS,
)
Q2_HTTP = replace(
    Q2,
    name="django_q2_http",
    label="Anymail's Postmark backend, one django-q2 task a message, 2 workers",
    environment={**Q2.environment, "PEER": "q2-http"},
    is_http=True,
)
LIMBO_HTTP = replace(
    LIMBO,
    name="limbo_http",
    label="**Limbo** through Anymail's Postmark backend, 4 workers × 8 threads",
    messages=5_000,
    is_http=True,
)

HEADLINE = (
    RAW,
    POST_OFFICE_TUNED,
    LIMBO,
    LIMBO_DJANGO_MIME,
    POST_OFFICE,
    CELERY,
    MAILER,
    Q2,
)


def available(contestants: tuple[Contestant, ...]) -> tuple[Contestant, ...]:
    """Those that can run here: Celery needs a `redis-server`."""
    has_redis = shutil.which("redis-server") is not None
    return tuple(one for one in contestants if has_redis or not one.needs_redis)
