"""Who is alive: POSIX record locks, one byte a role, which the kernel frees at their owner's death.

A lock belongs to a process, never to its children, and it can be looked up without taking it.
"""

import fcntl
import os
import struct

# struct flock of fcntl(2): type, whence, start, length, pid; padded to whole words
_FLOCK = "hhqqi0q"


class RecordLocks:
    """The locks on the bytes of one open file, which every process has from the same fork."""

    def __init__(self, file: int) -> None:
        self._file = file

    def own(self, byte: int) -> bool:
        """Take the byte for this process, for as long as it lives; False if another has it."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            return False
        return True

    def owner(self, byte: int) -> int:
        """The process that has the byte; 0 if none, or only the one that asks."""
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
        answer = struct.unpack(_FLOCK, fcntl.fcntl(self._file, fcntl.F_GETLK, asked))
        return 0 if answer[0] == fcntl.F_UNLCK else int(answer[4])
