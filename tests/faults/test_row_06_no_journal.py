"""Row 6: the worker dies, and its journal is lost, cut short or of another boot; or unwritable."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from notifications.delivery.journal_file import as_json, as_line, read_file
from notifications.models import Attempt, Heartbeat
from tests.conftest import wait_until
from tests.faults.row import Row, quick
from tests.faults.steps import are_claimed, by_smtp, leases_end
from tests.peers import SmtpPeer

_MESSAGES = 20


def lose(path: Path) -> None:
    """Remove the file."""
    path.unlink()


def cut(path: Path) -> None:
    """Take the last line off, as if it had never been."""
    data = path.read_bytes().rstrip(b"\0")
    os.truncate(path, data.rindex(b"\n", 0, -1) + 1)


def age(path: Path) -> None:
    """Make it a file of an earlier start of the machine."""
    header, _, _ = read_file(path.read_bytes())
    assert header is not None
    line = as_line(as_json(["header", str(header.id), str(uuid4()), header.cluster]))
    with path.open("r+b") as file:
        file.seek(16)
        file.write(line)


@pytest.mark.faults("6", "as 4, and the journal is not to be had")
@pytest.mark.parametrize("harm", [lose, quick(cut), age], ids=["lost", "cut short", "another boot"])
def test_the_whole_batch_is_uncertain_and_nothing_is_sent_twice(
    row: Row, sink: SmtpPeer, harm: Callable[[Path], None]
) -> None:
    row.submit(_MESSAGES)
    with row.system(by_smtp(sink), LIMBO_THREADS="1", LIMBO_WORKERS="1") as system:
        system.arm("dot_sent=stop")
        system.start_worker()
        wait_until(lambda: system.failed_at("dot_sent"), seconds=60)
        batch = Attempt.objects.count()
        system.kill("worker")
        for path in system.journal.iterdir():
            harm(path)
        if harm is lose:
            leases_end()
        system.arm("")
        system.start_worker()
        row.drain()
        verdict = row.judge(sink, doubt_from=None)
    assert batch == _MESSAGES
    assert (verdict.handed_off, verdict.uncertain) == (1, _MESSAGES)


@pytest.mark.faults("6", "the journal cannot be written")
def test_without_a_journal_nothing_is_sent_and_later_everything_once(
    row: Row, sink: SmtpPeer
) -> None:
    with row.system(by_smtp(sink)) as system:
        system.start_worker()
        wait_until(Heartbeat.objects.is_alive, seconds=60)
        aside = system.journal.with_name("aside")
        system.journal.rename(aside)
        system.journal.write_text("a file in the folder's place")
        row.submit(_MESSAGES)
        wait_until(lambda: "Nothing is sent" in system.log("worker") and are_claimed())
        assert sink.ended == []
        assert not Attempt.objects.exists()
        system.journal.unlink()
        aside.rename(system.journal)
        leases_end()
        row.drain()
        verdict = row.judge(sink)
    assert (verdict.handed_off, verdict.uncertain) == (_MESSAGES, 0)
