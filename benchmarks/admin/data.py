"""The made-up month that the screens are timed on: made once, and kept for the next run."""

import os
import subprocess
from pathlib import Path

from benchmarks.database import Database, Server
from benchmarks.processes import LIMBO_PYTHON, ROOT, BenchmarkError, call

_UNFINISHED = "unfinished"


def environment(database: Database) -> dict[str, str]:
    """What Limbo is told, so that it works on the database."""
    return {
        "DJANGO_SETTINGS_MODULE": "limbo.settings",
        "SECRET_KEY": "only-for-benchmarks-only-for-benchmarks-only-for-benchmarks",
        "LIMBO_LOCAL": "1",
        "LIMBO_PROVIDERS": ",".join(f"{name}=smtp://127.0.0.1:1" for name in _PROVIDERS),
        "DATABASE_URL": database.url,
        "LOG_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore:No directory at:UserWarning",
    }


_PROVIDERS = ("postmark", "ses", "relay")


def month(server: Server, count: int) -> Database:
    """The database with `count` messages, as new as the code; made if there is none."""
    name = f"admin_{count}"
    if not server.has(name):
        server.drop(_UNFINISHED)
        _make(server.create(_UNFINISHED), count)
        server.rename(_UNFINISHED, name)
    database = server.database(name)
    call([LIMBO_PYTHON, "manage.py", "migrate", "--verbosity=0"], environment(database))
    return database


def _make(database: Database, count: int) -> None:
    told = environment(database)
    call([LIMBO_PYTHON, "manage.py", "migrate", "--verbosity=0"], told)
    # its progress is for who waits for it
    done = subprocess.run(
        [str(LIMBO_PYTHON), "-m", "limbo.local.demo_data"],
        cwd=ROOT,
        env={**os.environ, **told, "N": str(count)},
        check=False,
    )
    if done.returncode:
        raise BenchmarkError("the made-up messages could not be loaded")


def forget_files(folder: Path) -> None:
    """Have the system forget what it keeps in memory of the server's files; it does not run."""
    for file in (folder / "postgres" / "base").rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
