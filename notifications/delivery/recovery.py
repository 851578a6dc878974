"""Recovery: settling what dead workers of this machine left open, from their journals.

Whoever gets a journal's lock knows that its writer is dead, and is the only one to recover it. The
file goes only after the commit: a recovery that dies itself is done again by the next one, and
finds nothing left to do.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from psycopg.errors import LockNotAvailable

from notifications.delivery.journal_file import NEW_SUFFIX, SUFFIX, is_uuid, own_cluster
from notifications.delivery.settling import settle
from notifications.delivery.stop_flag import stop_flag
from notifications.delivery.testimony import Testimony, read_testimony

logger = logging.getLogger(__name__)

READ_BYTES = 64 * 1024 * 1024
"""A journal is replaced at a 64th of it; the rest of a longer file is taken for missing."""

_complained: set[str] = set()
"""Names that were logged already."""


def recover_journals() -> int:
    """Settle what the dead left and remove their journals; returns how many that were.

    Cheap when there are none. Raises Django's OperationalError or InterfaceError when the database
    is away; whatever is wrong with a file is logged, once.
    """
    return sum(_recover(path) for path in _journals(Path(settings.LIMBO_JOURNAL_DIR)))


def _journals(folder: Path) -> list[Path]:
    """The files that workers made; anything else in the folder is left alone."""
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        _complain(folder, error)
        return []
    ours = [path for path in found if path.suffix in (SUFFIX, NEW_SUFFIX) and is_uuid(path.stem)]
    for path in set(found).difference(ours):
        _complain(path, "it is no journal")
    return ours


def _recover(path: Path) -> bool:
    try:
        with _locked(path) as descriptor:
            if descriptor is None:
                return False
            # a maker that died had not begun anything
            if path.suffix == SUFFIX:
                _settle(read_testimony(UUID(path.stem), _read(descriptor)))
            path.unlink()
            return True
    except OSError as error:
        _complain(path, error)
    except DatabaseError as error:
        _pass_over(path, error)
    return False


@contextmanager
def _locked(path: Path) -> Iterator[int | None]:
    """The open file, locked, while it is the one under its name; None if somebody else has it."""
    try:
        # neither a link that leads elsewhere nor a pipe that makes us wait
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        yield None
        return
    try:
        yield descriptor if _lock(path, descriptor) else None
    finally:
        os.close(descriptor)


def _lock(path: Path, descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # between open and lock another recovery may have removed it
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except (BlockingIOError, FileNotFoundError):
        return False


def _read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(READ_BYTES)


def _settle(testimony: Testimony) -> None:
    if not testimony.is_whole:
        logger.warning(
            "The journal %s is not whole, or from before the machine's last start: "
            "what its worker had in flight is uncertain.",
            testimony.journal_id,
        )
    # a worker that is ended with its cluster did not die of a message
    died_alone = testimony.cluster == own_cluster() and not stop_flag.is_set()
    settle(testimony, died_alone=died_alone)


def _pass_over(path: Path, error: DatabaseError) -> None:
    """Leave the file for later, unless the database is away: that is the caller's to know."""
    is_busy = isinstance(error.__cause__, LockNotAvailable)
    if isinstance(error, (OperationalError, InterfaceError)) and not is_busy:
        raise error
    _complain(path, error)


def _complain(path: Path, problem: object) -> None:
    if path.name not in _complained:
        _complained.add(path.name)
        logger.warning("Left alone in the journals' folder: %s: %s", path.name, problem)
