"""The journal outlives its process, tells what was on the wire, and shows when it is not whole."""

import fcntl
import os
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.delivery.handoff import HandoffResult, Verdict
from notifications.delivery.journal import ROTATE_BYTES, Journal, JournalError, journal
from notifications.delivery.journal_file import PAGE, boot_id, own_cluster, read_file
from notifications.delivery.reading import Reading
from notifications.delivery.testimony import read_testimony
from notifications.models.ids import Id, new_id
from tests.delivery.dying import living, work_and_die

HANDOFF, DELIVERY = new_id(), new_id()
SENT = HandoffResult({DELIVERY: Verdict(Reading.SENT, 250, "2.0.0 Ok\nqueued “é”")}, "abc", 1.5)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Journal]:
    """A journal in a folder that it has to make."""
    made = Journal(tmp_path / "var" / "journal")
    yield made
    made.close()


def only_file(folder: Path) -> Path:
    """The one file in the folder."""
    (path,) = folder.iterdir()
    return path


def a_batch(folder: Path) -> None:
    """One hand-off from its plan to its end."""
    mine = Journal(folder)
    mine.begin_batch(uuid4())
    mine.plan([HANDOFF])
    mine.begun(HANDOFF)
    mine.ended(HANDOFF, SENT)


def test_what_a_killed_process_wrote_is_there_to_the_last_line(tmp_path: Path) -> None:
    work_and_die(lambda: a_batch(tmp_path))
    path = only_file(tmp_path)
    header, records, is_whole = read_file(path.read_bytes())
    assert header is not None
    assert f"{header.id}.journal" == path.name
    assert header.boot_id == boot_id()
    assert header.cluster.split(":")[1] == str(os.getpid())
    assert [record[0] for record in records] == ["batch", "plan", "begun", "ended"]
    assert records[3][2] == [{str(DELIVERY): ["sent", 250, "2.0.0 Ok\nqueued “é”"]}, "abc", 1.5]
    assert is_whole


@given(
    verdicts=st.dictionaries(
        st.builds(new_id),
        st.builds(
            Verdict,
            st.sampled_from(Reading),
            st.none() | st.integers(-1, 999),
            st.text(max_size=20),
        ),
    ),
    message_id=st.text(max_size=20),
    retry_after=st.none() | st.floats(min_value=0, allow_nan=False),
)
def test_however_a_hand_off_ended_it_is_read_back(
    verdicts: dict[Id, Verdict], message_id: str, retry_after: float | None
) -> None:
    result = HandoffResult(verdicts, message_id, retry_after)
    with TemporaryDirectory() as folder:
        mine = Journal(Path(folder))
        journal_id = mine.begin_batch(uuid4())
        mine.ended(HANDOFF, result)
        mine.close()
        testimony = read_testimony(journal_id, only_file(Path(folder)).read_bytes())
    assert testimony.is_whole
    assert testimony.ended == {UUID(HANDOFF): result}


def test_the_file_is_locked_for_as_long_as_its_process_lives(tmp_path: Path) -> None:
    with living(lambda: a_batch(tmp_path)) as pid, only_file(tmp_path).open("rb") as file:
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with only_file(tmp_path).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_child_does_not_hold_its_parent_s_lock(journal_folder: Path) -> None:
    journal().begin_batch(uuid4())
    path = journal_folder / f"{journal().id}.journal"
    with living(lambda: None):
        journal().close()
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    path.unlink()


def test_each_process_writes_a_file_of_its_own(journal_folder: Path) -> None:
    parent = journal().begin_batch(uuid4())
    work_and_die(lambda: journal().begin_batch(uuid4()))
    names = {path.name for path in journal_folder.iterdir()}
    assert len(names) == 2
    assert f"{parent}.journal" in names
    for path in journal_folder.iterdir():
        path.unlink()


def test_a_file_cut_at_the_end_of_a_line_is_not_taken_for_whole(tmp_path: Path) -> None:
    work_and_die(lambda: a_batch(tmp_path))
    data = only_file(tmp_path).read_bytes().rstrip(b"\0")
    last_line = data.rindex(b"\n", 0, -1) + 1
    _, records, is_whole = read_file(data[:last_line])
    assert [record[0] for record in records] == ["batch", "plan", "begun"]
    assert not is_whole


@pytest.mark.parametrize("place", [0, 8, 20, PAGE - 1, PAGE, PAGE + 12, PAGE + 200])
def test_whatever_byte_is_damaged_nothing_is_read_that_was_not_written(
    tmp_path: Path, place: int
) -> None:
    work_and_die(lambda: a_batch(tmp_path))
    data = bytearray(only_file(tmp_path).read_bytes())
    _, all_records, _ = read_file(bytes(data))
    data[place] ^= 0x55
    _, records, is_whole = read_file(bytes(data))
    assert records == all_records[: len(records)]
    assert not is_whole or records == all_records


def test_every_cut_of_a_file_can_be_read_and_none_is_taken_for_whole(tmp_path: Path) -> None:
    work_and_die(lambda: a_batch(tmp_path))
    data = only_file(tmp_path).read_bytes().rstrip(b"\0")
    assert not any(read_file(data[:end])[2] for end in range(len(data)))


def fill_up(journal: Journal) -> None:
    """Write lines until there is no room for another."""
    while True:
        journal.begun(HANDOFF)


def test_a_line_that_does_not_fit_stops_the_hand_off_and_leaves_no_trace(written: Journal) -> None:
    written.begin_batch(uuid4())
    path = only_file(written._folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # the kernel then refuses to make the file any longer
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        with pytest.raises(JournalError):
            written.plan([HANDOFF] * 10_000)
        with pytest.raises(JournalError):
            fill_up(written)
        written.ended(HANDOFF, SENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    written.plan([])
    _, records, is_whole = read_file(path.read_bytes())
    kinds = [record[0] for record in records]
    assert (kinds[0], set(kinds[1:-1]), kinds[-1]) == ("batch", {"begun"}, "plan")
    assert is_whole


def test_without_a_folder_that_can_be_written_no_batch_begins(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path / "file" / "journal").begin_batch(uuid4())


def test_nothing_begins_before_the_first_batch(written: Journal) -> None:
    with pytest.raises(JournalError):
        written.begun(HANDOFF)
    with pytest.raises(JournalError):
        written.plan([HANDOFF])


def test_the_folder_is_closed_to_others(written: Journal) -> None:
    written.begin_batch(uuid4())
    assert written._folder.stat().st_mode & 0o777 == 0o700
    assert only_file(written._folder).stat().st_mode & 0o777 == 0o600


def fill(written: Journal) -> None:
    """Make the file longer than one that is continued."""
    ids = [new_id() for _ in range(1000)]
    while only_file(written._folder).stat().st_size <= ROTATE_BYTES:
        written.plan(ids)


def test_a_long_file_is_replaced_at_the_next_batch(written: Journal) -> None:
    first = written.begin_batch(uuid4())
    assert written.begin_batch(uuid4()) == first
    fill(written)
    second = written.begin_batch(uuid4())
    assert second != first
    assert written.id == second
    assert only_file(written._folder).name == f"{second}.journal"


def test_a_long_file_stays_while_it_witnesses_a_hand_off_on_the_wire(written: Journal) -> None:
    first = written.begin_batch(uuid4())
    written.begun(HANDOFF)
    fill(written)
    assert written.begin_batch(uuid4()) == first
    written.ended(HANDOFF, SENT)
    assert written.begin_batch(uuid4()) != first


def test_a_file_that_was_removed_or_cut_is_not_continued(written: Journal) -> None:
    first = written.begin_batch(uuid4())
    only_file(written._folder).unlink()
    second = written.begin_batch(uuid4())
    os.truncate(only_file(written._folder), PAGE)
    third = written.begin_batch(uuid4())
    assert len({first, second, third}) == 3
    assert only_file(written._folder).name == f"{third}.journal"


def test_threads_may_share_it(written: Journal) -> None:
    written.begin_batch(uuid4())
    batches: list[list[Id]] = [[new_id() for _ in range(50)] for _ in range(4)]

    def hand_over(ids: list[Id]) -> None:
        for handoff_id in ids:
            written.begun(handoff_id)
            written.ended(handoff_id, SENT)

    threads = [threading.Thread(target=hand_over, args=[ids]) for ids in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, records, is_whole = read_file(only_file(written._folder).read_bytes())
    assert is_whole
    for ids in batches:
        for handoff_id in ids:
            kinds = [record[0] for record in records if record[1] == str(handoff_id)]
            assert kinds == ["begun", "ended"]


def test_a_cluster_is_known_by_more_than_a_process_id() -> None:
    host, parent, started = own_cluster().rsplit(":", 2)
    assert host
    assert parent == str(os.getppid())
    assert int(started) > 0
