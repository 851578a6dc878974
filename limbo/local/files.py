"""Private files: secrets and what other programs read while they are being replaced."""

import fcntl
import os
from pathlib import Path
from typing import IO


def write_private(path: Path, text: str) -> None:
    """Replace the file `path` by one that holds `text`, readable by its owner alone.

    A reader sees the old text or the new one, never a part.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def hold(path: Path) -> IO[str] | None:
    """Lock the file `path` for as long as the answer stays open; None: another process has it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
