"""System checks of a worker: its journal can be written, and stays with its machine."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from notifications.checks import WORKER
from notifications.delivery.journal_file import JournalFile

NETWORK = {"afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3"}
"""File systems on which another machine's locks, or a lost connection, could mislead."""


# `deploy`: only who asks for it, which the web front does not, since it needs no journal
@register(WORKER, deploy=True)
def check_journal_folder(**_kwargs: Any) -> list[CheckMessage]:
    """Make a journal where workers will make theirs, and remove it."""
    folder = settings.LIMBO_JOURNAL_DIR
    try:
        JournalFile.create(folder).remove()
        kind = file_system(folder.stat().st_dev, Path("/proc/self/mountinfo").read_text())
    except OSError as error:
        return [
            Error(
                f"The journal cannot be written: {error}",
                hint="Set LIMBO_JOURNAL_DIR to a folder that the worker may write to.",
                id="limbo.E014",
            )
        ]
    if kind not in NETWORK:
        return []
    return [
        Error(
            f"The journal's folder {folder} is on a network file system ({kind}).",
            hint="Set LIMBO_JOURNAL_DIR to a folder on a disk of the worker's machine.",
            id="limbo.E015",
        )
    ]


def file_system(device: int, mounts: str) -> str:
    """The type of the file system `device` in /proc/self/mountinfo; empty if it is not there."""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == number:
            return source.split()[0]
    return ""
