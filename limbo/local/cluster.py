"""A PostgreSQL data folder: how it is made, and how its programs find it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from limbo.local.binaries import Identity, bin_folder
from limbo.local.errors import LocalPostgresError

# nothing of the caller's: PGDATA, PGPORT or a locale would be obeyed
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

_OPTIONS = (
    "--pwfile=/dev/stdin",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # PostgreSQL's own locale: the same on every machine
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)


def program(name: str, data: Path, identity: Identity) -> list[str]:
    """The command line of a PostgreSQL program that works on `data`, to be started inside `data`.

    As root, the program's user may have no way to the folder by its path. But it inherits the
    folder that it is started in, and this name of it asks for no right on any parent.
    """
    reachable = "/proc/self/cwd" if identity.is_other else str(data)
    return [str(bin_folder(identity) / name), "-D", reachable]


def make_cluster(
    folder: Path, identity: Identity, password: str, *, options: Sequence[str]
) -> None:
    """Make the data folder, with `password` for its superuser.

    It grows under another name: half a folder must never be taken for a whole one.
    Raises LocalPostgresError, and OSError when `folder` holds something else already.
    """
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    identity.own(fresh)
    with tempfile.TemporaryFile() as file:
        _write_password(file, password, identity)
        done = subprocess.run(
            [*program("initdb", fresh, identity), *_OPTIONS, *options],
            cwd=fresh,
            env=ENVIRONMENT,
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
            # a terminal's Ctrl-C is for us
            start_new_session=True,
            user=identity.uid,
            group=identity.gid,
            extra_groups=identity.groups,
        )
    if done.returncode:
        raise LocalPostgresError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
    with suppress(FileNotFoundError):
        folder.rmdir()
    fresh.rename(folder)


def _write_password(file: IO[bytes], password: str, identity: Identity) -> None:
    # a nameless file of the server's user: initdb opens it anew by its descriptor
    identity.own(file.fileno())
    file.write(password.encode())
    file.seek(0)
