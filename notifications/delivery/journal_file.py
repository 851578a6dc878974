"""The form of a journal's file: a header page, then one line a record.

    0     8  magic
    8     8  how many bytes of the file count, header page included; in the machine's own order
    16       the header's line: id, boot id, cluster; zeros up to 4096
    4096     the lines: eight hex digits of CRC-32, a space, JSON in ASCII, a newline; then zeros

The file is mapped into memory, so that a line is written without a call of the system, for which
each of a worker's threads would let the others go first; its room on the disk is taken beforehand,
so that a full disk is an error and not the end of the process. The length in the header is stored
after each line: a file that was cut, even at the end of a line, is shorter than its own header
says. A line beyond the length (its writer died before it counted) is read if it is whole: nothing
that it could allow was done yet, so it can only make a reader more careful.
"""

import errno
import fcntl
import json
import mmap
import os
import socket
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

SUFFIX = ".journal"
NEW_SUFFIX = ".new"
"""While it is being made."""

PAGE = 4096
_MAGIC = b"limbo-j1"
_LENGTH = 1
"""The length's place in the page, in units of eight bytes."""

_ROOM = 256 * 1024
"""So many bytes, or more for a longer line, are taken of the disk at a time."""

_MAKING_TRIES = 10
_START_TIME = 19
"""Its place in /proc/<pid>/stat after the name: field 22 of proc_pid_stat(5)."""

Record = Sequence[Any]
"""A kind and its values, as JSON."""


@dataclass(frozen=True, slots=True)
class Header:
    """Whose file it is."""

    id: UUID
    boot_id: str
    """The kernel's, new at each start of the machine."""
    cluster: str
    """The cluster that its writer worked for, see `own_cluster`."""


def boot_id() -> str:
    """The running kernel's id."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def own_cluster() -> str:
    """The identity of the cluster that this process works for: host, parent, its start.

    All processes of one django-q2 cluster that matter here, its workers and whoever recovers their
    journals, are children of one sentinel; a pid alone may be used again.
    """
    parent = os.getppid()
    stat = Path(f"/proc/{parent}/stat").read_text(encoding="utf-8", errors="replace")
    started = stat.rpartition(")")[2].split()[_START_TIME]
    return f"{socket.gethostname()}:{parent}:{started}"


class JournalFile:
    """A file that this process writes. Not for two threads at once."""

    def __init__(self, path: Path, header: Header, descriptor: int) -> None:
        self.id = header.id
        self._path = path
        self._descriptor = descriptor
        self._room = 0
        self._grow(PAGE)
        self._lines[:PAGE] = _page(header)
        self._map = mmap.mmap(descriptor, PAGE)
        # one aligned store of eight bytes: a death finds the old length or the new one
        self._page = memoryview(self._map).cast("Q")
        self._end = PAGE

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make a new file in `folder`, which is made too if it is missing. Raises OSError.

        Under its name it is never seen unlocked or without its header.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _ in range(_MAKING_TRIES):
            header = Header(uuid4(), boot_id(), own_cluster())
            new = folder / f"{header.id}{NEW_SUFFIX}"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            file = cls._make(new, header, os.open(new, flags, 0o600))
            if file is not None:
                return file
        raise OSError(errno.EBUSY, "another process removes each new journal", str(folder))

    @classmethod
    def _make(cls, new: Path, header: Header, descriptor: int) -> Self | None:
        """Lock, fill and name the file; None if it was taken for a dead maker's meanwhile."""
        path = new.with_suffix(SUFFIX)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = cls(path, header, descriptor)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            new.unlink(missing_ok=True)
            raise
        try:
            new.rename(path)
        except FileNotFoundError:
            file.close()
            return None
        return file

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self._end

    def is_whole(self) -> bool:
        """Whether it is still there, under a name and in its full length. Raises OSError."""
        status = os.fstat(self._descriptor)
        return status.st_nlink > 0 and status.st_size >= self._room

    def append(self, record: str) -> None:
        """Add a line for a record in JSON.

        Raises OSError when there is no room for it; then there is no line.
        """
        line = as_line(record)
        end = self._end + len(line)
        if end > self._room:
            self._grow(end)
        self._lines[self._end : end] = line
        self._page[_LENGTH] = self._end = end

    def remove(self) -> None:
        """Remove the file, and let go of it."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file and, unless a parent has it too, of its lock."""
        self._page.release()
        self._map.close()
        self._lines.close()
        os.close(self._descriptor)

    def _grow(self, end: int) -> None:
        """Take room for the file up to `end` at least. Raises OSError."""
        room = -(-end // _ROOM) * _ROOM
        os.posix_fallocate(self._descriptor, 0, room)
        self._lines = mmap.mmap(self._descriptor, room)
        self._room = room


def _page(header: Header) -> bytes:
    record = ["header", str(header.id), header.boot_id, header.cluster]
    start = _MAGIC + PAGE.to_bytes(8, sys.byteorder) + as_line(as_json(record))
    return start.ljust(PAGE, b"\0")


as_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Writes a record, or a part of one, in ASCII."""


def as_line(record: str) -> bytes:
    """A record, which is in JSON, as a line."""
    text = record.encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def read_file(data: bytes) -> tuple[Header | None, list[Record], bool]:
    """A file's header, its records up to the first line that is none, and whether that is all.

    Whatever the bytes are, it does not raise. Without a header there are no records.
    """
    header = _header(data)
    if header is None:
        return None, [], False
    records, end = _records(data, PAGE)
    counted = int.from_bytes(data[8:16], sys.byteorder)
    return header, records, end >= counted


def _header(data: bytes) -> Header | None:
    if len(data) < PAGE or not data.startswith(_MAGIC):
        return None
    records, _ = _records(data[:PAGE], 16)
    match records:
        case [["header", str() as id_, str() as boot, str() as cluster]] if is_uuid(id_):
            return Header(UUID(id_), boot, cluster)
    return None


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID as we write one."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _records(data: bytes, start: int) -> tuple[list[Record], int]:
    """The records from `start` on, up to a line that is none, and where the last one ends."""
    records: list[Record] = []
    while (end := data.find(b"\n", start) + 1) > 0:
        checksum, _, text = data[start : end - 1].partition(b" ")
        if checksum != b"%08x" % zlib.crc32(text):
            break
        try:
            records.append(json.loads(text))
        except (ValueError, RecursionError):
            break
        start = end
    return records, start
