"""Which versions were measured, and on what."""

import os
import platform

from benchmarks.database import Server
from benchmarks.processes import LIMBO_PYTHON, PEERS_PYTHON, call
from benchmarks.sinks import Sinks

_PEERS = ("django", "django-post-office", "django-mailer", "django-q2", "celery", "redis")
_OURS = ("django", "django-q2", "django-anymail", "psycopg")
_ASK = """
import sys
from importlib.metadata import version
for name in sys.argv[1:]:
    print(name, version(name))
"""


def versions(server: Server, sinks: Sinks) -> dict[str, object]:
    """All that a reader needs to judge the figures, and nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "memory_gb": round(memory / 2**30),
        "sink": sinks.description,
        "postgres": server.settings(),
        "limbo": _installed(LIMBO_PYTHON, _OURS),
        "peers": _installed(PEERS_PYTHON, _PEERS),
    }


def _installed(python: object, names: tuple[str, ...]) -> dict[str, str]:
    lines = call([str(python), "-c", _ASK, *names], {}).splitlines()
    return dict(line.split(" ", 1) for line in lines)
