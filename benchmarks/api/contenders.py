"""Who takes part: the project that is served, and what is posted to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.contestants import LIMBO, Arguments
from benchmarks.letter import BODY, SENDER, SUBJECT, recipient

BATCH = 100
"""Messages in one batch."""


@dataclass(frozen=True, slots=True)
class Project:
    """A Django project: how its database is made and how its server is started."""

    name: str
    application: str
    """The WSGI application."""
    prepare: tuple[Arguments, ...]
    token: Arguments
    """Prints a token."""
    scheme: str
    """What stands before it in `Authorization`."""
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contender:
    """One address of a project, with the request that is made of it."""

    name: str
    label: str
    project: Project
    path: str
    body: bytes
    messages: int = 1
    """In one request."""


_MIGRATE = ("-m", "django", "migrate", "--run-syncdb", "--verbosity=0")

BARE = Project(
    "bare",
    "benchmarks.api.bare.wsgi:application",
    (_MIGRATE,),
    ("-m", "benchmarks.api.bare.begin"),
    "Token",
    {**LIMBO.environment, "DJANGO_SETTINGS_MODULE": "benchmarks.api.bare.settings"},
)
OURS = Project(
    "limbo",
    "limbo.wsgi:application",
    LIMBO.prepare,
    ("manage.py", "token", "create", "--user", "bench", "--name", "bench"),
    "Bearer",
    dict(LIMBO.environment),
)


def _letter() -> bytes:
    fields = {"sender": SENDER, "recipient": recipient(0), "subject": SUBJECT, "message": BODY}
    return json.dumps(fields).encode()


def _message(number: int) -> dict[str, object]:
    return {"from": SENDER, "to": [recipient(number)], "subject": SUBJECT, "message": BODY}


RAW = Contender("raw", "a Django view that inserts one row: no token", BARE, "/raw", _letter())
DRF = Contender("drf", "a bare DRF view with a token that inserts one row", BARE, "/drf", _letter())
SINGLE = Contender(
    "single", "**Limbo**, single posts", OURS, "/v1/mail", json.dumps(_message(0)).encode()
)
MANY = Contender(
    "batch",
    f"**Limbo**, batches of {BATCH}",
    OURS,
    "/v1/mail/batch",
    json.dumps({"messages": [_message(number) for number in range(BATCH)]}).encode(),
    BATCH,
)

CONTENDERS = (DRF, SINGLE, RAW, MANY)
