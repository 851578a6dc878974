"""The journal: what of a batch is on the wire, in a file that outlives the worker's death.

In the database a whole batch is in flight at once; which part of it a dead worker had begun, only
its journal tells. Each worker process has one file, made after its fork and locked (`flock`) for
as long as it lives, so that whoever gets the lock knows that it is dead. It says, in this order:

    batch  token       the lease under which the worker now works
    plan   hand-offs   before they are committed as in flight: those that this file will witness
    begun  hand-off    just before the first write that may carry the final dot or the request
    ended  hand-off    after the reply, with the verdicts

What is planned and not begun was certainly not sent, provided that the file is the whole truth:
not cut short, and not older than the machine's last start. For nothing is flushed to the disk: a
written line belongs to the kernel and survives every death of the process; it need not survive
the machine's, since the boot id in the header tells that it might not have. That makes a line a
copy within memory. If there is no room for a line, nothing is sent.

`delivery.recovery` reads the files that the dead left.
"""

import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

from notifications.delivery.handoff import HandoffResult
from notifications.delivery.journal_file import JournalFile, as_json
from notifications.models.errors import LimboError
from notifications.models.ids import Id

logger = logging.getLogger(__name__)

ROTATE_BYTES = 1024 * 1024
"""A longer file is not continued in the next batch."""


class JournalError(LimboError):
    """The journal cannot be written: nothing may be sent."""


class Journal:
    """One process's journal; its threads share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file: JournalFile | None = None
        self._on_the_wire: set[Id] = set()

    @property
    def id(self) -> UUID:
        """The id of the file it writes now. Raises JournalError before the first batch."""
        return self._current().id

    def begin_batch(self, token: UUID) -> UUID:
        """Note the lease `token` that the process works under from now on.

        Returns the journal id to store in the batch's Handoffs. A process works on one batch at a
        time, so all that is in the file by now is recorded: when it is long it is removed, and a
        new one begun. Raises JournalError.
        """
        with self._lock:
            try:
                self._make_or_change()
            except OSError as error:
                raise _cannot(error) from error
            self._append(as_json(["batch", str(token)]))
            return self._current().id

    def plan(self, handoff_ids: Iterable[Id]) -> None:
        """List hand-offs before they are committed as in flight. Raises JournalError.

        One that bears this journal's id and is not listed proves that the file is not the whole
        truth.
        """
        with self._lock:
            listed = ",".join([f'"{handoff_id}"' for handoff_id in handoff_ids])
            self._append(f'["plan",[{listed}]]')

    def begun(self, handoff_id: Id) -> None:
        """Note that the next write may hand it over. Raises JournalError: then it must not."""
        with self._lock:
            self._append(f'["begun","{handoff_id}"]')
            self._on_the_wire.add(handoff_id)

    def ended(self, handoff_id: Id, result: HandoffResult) -> None:
        """Note what the provider answered.

        A failure to write is only logged: the answer is known, and about to be recorded.
        """
        with self._lock:
            self._on_the_wire.discard(handoff_id)
            try:
                self._append(f'["ended","{handoff_id}",{_packed(result)}]')
            except JournalError:
                logger.exception("The end of hand-off %s is not in the journal.", handoff_id)

    def close(self) -> None:
        """Let go of the file without a word, in a process that must not write it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _make_or_change(self) -> None:
        old = self._file
        if old is not None and self._serves(old):
            return
        self._file = JournalFile.create(self._folder)
        if old is not None:
            old.remove()

    def _serves(self, file: JournalFile) -> bool:
        """Whether `file` is to be continued."""
        # what is on the wire after its batch was given up still needs its witness
        is_short = file.size <= ROTATE_BYTES or bool(self._on_the_wire)
        return is_short and file.is_whole()

    def _current(self) -> JournalFile:
        if self._file is None:
            raise JournalError("no batch has begun")
        return self._file

    def _append(self, record: str) -> None:
        try:
            self._current().append(record)
        except OSError as error:
            raise _cannot(error) from error


def _cannot(error: OSError) -> JournalError:
    return JournalError(f"the journal cannot be written: {error}")


def _packed(result: HandoffResult) -> str:
    """In JSON: put together here, since the encoder takes three times as long to begin."""
    verdicts = ",".join(
        [
            # no code is 0
            f'"{delivery_id}":["{verdict.reading}",{verdict.code or "null"},'
            f"{as_json(verdict.answer)}]"
            for delivery_id, verdict in result.verdicts.items()
        ]
    )
    wait = "null" if result.retry_after is None else as_json(result.retry_after)
    return f"[{{{verdicts}}},{as_json(result.provider_message_id)},{wait}]"


_journals: dict[int, Journal] = {}


def journal() -> Journal:
    """This process's journal, made on first use: a child must not write its parent's."""
    return _journals.setdefault(os.getpid(), Journal(Path(settings.LIMBO_JOURNAL_DIR)))


def _leave_to_parent() -> None:
    """In a child: a copy of the parent's file would hold its lock beyond its death."""
    for inherited in _journals.values():
        inherited.close()
    _journals.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
