"""What a killed worker left open is settled by its journal, and by nothing more than it knows."""

import fcntl
import os
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery import journal_file
from notifications.delivery.handoff import HandoffResult, Verdict
from notifications.delivery.journal import Journal
from notifications.delivery.poison import POISON_DEATHS
from notifications.delivery.reading import Reading
from notifications.delivery.recovery import _lock, recover_journals
from notifications.delivery.stop_flag import stop_flag
from notifications.history.changes import lock_messages
from notifications.history.in_flight import Planned, commit_in_flight, commit_repeats
from notifications.models import Attempt, Delivery, Handoff, Message, State
from notifications.models.ids import Id, new_id
from notifications.queue.choices import requeue
from notifications.queue.claim import Claim, claim_next
from notifications.queue.sweep import sweep_expired
from tests.delivery.dying import living, work_and_die
from tests.factories import ProviderFactory, UserFactory, make_message
from tests.long_history import FEW, grow_history, rows_read

pytestmark = pytest.mark.django_db(transaction=True)

Script = Callable[[Journal, Id], object]
"""What a worker does with a hand-off once it is committed as in flight."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A folder of journals of this test's own."""
    settings.LIMBO_JOURNAL_DIR = tmp_path
    return tmp_path


def claim_anew() -> Claim | None:
    """Claim, as the broker does it: what has become due first gets its turn."""
    return claim_next()


class Worker:
    """Claims what is due, commits a hand-off of each message, and follows a script."""

    def __init__(
        self, folder: Path, script: Script, *, lists: bool = True, commits: bool = True
    ) -> None:
        self._folder = folder
        self._script = script
        self._lists = lists
        self._commits = commits

    def __call__(self) -> None:
        """One batch, from its claim on."""
        claim = claim_anew()
        assert claim is not None
        mine = Journal(self._folder)
        journal_id = mine.begin_batch(claim.token)
        if not self._commits:
            return
        planned = [_planned(message_id) for message_id in claim.message_ids]
        if self._lists:
            mine.plan(plan.handoff_id for plan in planned)
        with transaction.atomic():
            lock_messages(claim.message_ids)
            commit_in_flight(planned, journal_id=journal_id)
        for plan in planned:
            self._script(mine, plan.handoff_id)


def _planned(message_id: Id) -> Planned:
    provider = ProviderFactory()
    deliveries = Delivery.objects.filter(message=UUID(message_id)).order_by("position")
    ids = tuple(map(str, deliveries.values_list("id", flat=True)))
    return Planned(new_id(), message_id, provider.id, provider.name, ids)


def nothing(_mine: Journal, _handoff_id: Id) -> None:
    """Die before anything is begun."""


def begin(mine: Journal, handoff_id: Id) -> None:
    """Die while the provider has not answered."""
    mine.begun(handoff_id)


def end(*readings: Reading, answer: str = "") -> Script:
    """Die after the provider's answer, one reading a recipient, and before it is recorded."""

    def script(mine: Journal, handoff_id: Id) -> None:
        mine.begun(handoff_id)
        deliveries = Delivery.objects.filter(attempts__handoff_id=handoff_id).order_by("position")
        verdicts = {
            str(delivery.id): Verdict(reading, 250, answer)
            for delivery, reading in zip(deliveries, readings, strict=True)
        }
        mine.ended(handoff_id, HandoffResult(verdicts, "id-of-theirs"))

    return script


def lease_ran_out() -> None:
    """Let the sweeper take everything in flight for uncertain."""
    Message.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert sweep_expired() > 0


def facts(message: Message) -> tuple[str, str, str]:
    """The delivery's state, the attempt's outcome and its reading."""
    delivery = message.deliveries.get()
    attempt = Attempt.objects.get(delivery=delivery)
    return delivery.state, attempt.outcome, attempt.reading


def assert_released(message: Message) -> None:
    """The message is free for another worker."""
    message.refresh_from_db()
    assert message.lease_token is None


ENDS = [
    pytest.param(nothing, ("pending", "not_accepted", "not_begun"), id="not begun"),
    pytest.param(begin, ("uncertain", "uncertain", "worker_lost"), id="begun"),
    pytest.param(end(Reading.SENT), ("sent", "accepted", "sent"), id="accepted"),
    pytest.param(
        end(Reading.TEMPORARY), ("pending", "not_accepted", "temporary"), id="not accepted"
    ),
    pytest.param(
        end(Reading.MESSAGE_REFUSED), ("failed", "refused", "message_refused"), id="refused"
    ),
    pytest.param(
        end(Reading.AMBIGUOUS), ("uncertain", "uncertain", "ambiguous"), id="ambiguous answer"
    ),
]


@pytest.mark.parametrize(("script", "expected"), ENDS)
def test_a_dead_worker_s_hand_off_is_settled_by_its_journal(
    folder: Path, script: Script, expected: tuple[str, str, str]
) -> None:
    message = make_message()
    work_and_die(Worker(folder, script))
    assert facts(message) == ("sending", "in_flight", "")
    assert recover_journals() == 1
    assert facts(message) == expected
    assert_released(message)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("script", "expected"), ENDS)
def test_the_journal_is_believed_also_after_the_sweeper_gave_up(
    folder: Path, script: Script, expected: tuple[str, str, str]
) -> None:
    message = make_message()
    work_and_die(Worker(folder, script))
    lease_ran_out()
    assert facts(message) == ("uncertain", "uncertain", "worker_lost")
    assert recover_journals() == 1
    assert facts(message) == expected


def test_what_comes_back_is_due_at_once(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, end(Reading.TEMPORARY)))
    recover_journals()
    message.refresh_from_db()
    assert message.due_at is not None
    assert message.due_at <= timezone.now()


def test_each_recipient_gets_what_the_provider_said_of_it(folder: Path) -> None:
    message = make_message("a@example.org", "b@example.org")
    work_and_die(Worker(folder, end(Reading.SENT, Reading.RECIPIENT_REFUSED, answer="no such")))
    recover_journals()
    states = message.deliveries.order_by("position").values_list("state", flat=True)
    assert list(states) == ["sent", "rejected"]
    handoff = Handoff.objects.get()
    assert (handoff.outcome, handoff.provider_message_id) == ("accepted", "id-of-theirs")
    event = message.events.get(kind="rejected")
    assert event.data["answer"] == "no such"
    assert event.data["source"] == "journal"


def test_of_several_hand_offs_only_the_begun_one_is_uncertain(folder: Path) -> None:
    messages = [make_message() for _ in range(5)]
    chosen = messages[2]

    def begin_one(mine: Journal, handoff_id: Id) -> None:
        if Handoff.objects.get(id=handoff_id).message_id == chosen.id:
            mine.begun(handoff_id)

    work_and_die(Worker(folder, begin_one))
    recover_journals()
    states = {message.id: facts(message)[0] for message in messages}
    assert states.pop(chosen.id) == State.UNCERTAIN
    assert set(states.values()) == {State.PENDING}


def test_a_hand_off_that_the_file_does_not_list_is_uncertain(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing, lists=False))
    recover_journals()
    assert facts(message)[0] == State.UNCERTAIN


def cut(path: Path) -> None:
    """Take the last line off, as if it had never been."""
    data = path.read_bytes().rstrip(b"\0")
    os.truncate(path, data.rindex(b"\n", 0, -1) + 1)


def damage(path: Path) -> None:
    """Change a byte of the last line."""
    data = bytearray(path.read_bytes().rstrip(b"\0"))
    data[-3] ^= 1
    path.write_bytes(data)


def lose_header(path: Path) -> None:
    """Overwrite the header page."""
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])


def lose_text(path: Path) -> None:
    """Leave an empty file, as a crash of the machine does."""
    os.truncate(path, 0)


def add_garbage(path: Path) -> None:
    """Replace it by what no worker wrote."""
    path.write_bytes(os.urandom(10_000))


@pytest.mark.parametrize("harm", [cut, damage, lose_header, lose_text, add_garbage])
def test_nothing_of_a_journal_that_is_not_whole_is_sent_again(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing))
    harm(next(folder.iterdir()))
    assert recover_journals() == 1
    assert facts(message)[:2] == ("uncertain", "uncertain")
    assert list(folder.iterdir()) == []


def test_an_answer_is_believed_also_where_the_file_ends_early(folder: Path) -> None:
    message = make_message()

    def end_and_go_on(mine: Journal, handoff_id: Id) -> None:
        end(Reading.SENT)(mine, handoff_id)
        mine.plan([new_id()])

    work_and_die(Worker(folder, end_and_go_on))
    cut(next(folder.iterdir()))
    recover_journals()
    assert facts(message)[0] == State.SENT


def test_what_was_written_before_the_machine_s_last_start_may_lack_lines(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = make_message()
    with monkeypatch.context() as patch:
        patch.setattr(journal_file, "boot_id", lambda: str(uuid4()))
        work_and_die(Worker(folder, nothing))
    recover_journals()
    assert facts(message)[0] == State.UNCERTAIN


def test_without_its_journal_a_batch_is_the_sweeper_s(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing))
    next(folder.iterdir()).unlink()
    assert recover_journals() == 0
    assert facts(message)[0] == State.SENDING
    lease_ran_out()
    assert facts(message)[0] == State.UNCERTAIN


def test_the_lease_of_a_batch_without_hand_offs_is_released_at_once(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing, commits=False))
    message.refresh_from_db()
    assert message.lease_token is not None
    assert recover_journals() == 1
    assert_released(message)


def test_a_message_that_another_worker_holds_by_now_keeps_its_lease(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing, commits=False))
    other = uuid4()
    Message.objects.update(lease_token=other)
    assert recover_journals() == 1
    message.refresh_from_db()
    assert message.lease_token == other


def test_a_living_worker_is_left_alone_even_when_it_stands_still(folder: Path) -> None:
    message = make_message()
    with living(Worker(folder, nothing)):
        assert recover_journals() == 0
        assert facts(message)[0] == State.SENDING
    assert recover_journals() == 1
    assert facts(message)[0] == State.PENDING


def test_a_copy_of_a_living_worker_s_journal_changes_nothing(folder: Path) -> None:
    message = make_message()
    with living(Worker(folder, nothing)):
        original = next(folder.iterdir())
        shutil.copy(original, folder / f"{uuid4()}.journal")
        assert recover_journals() == 1
        assert list(folder.iterdir()) == [original]
        assert facts(message)[0] == State.SENDING


def test_only_one_recovers_a_file(folder: Path) -> None:
    work_and_die(Worker(folder, nothing, commits=bool(make_message())))
    with next(folder.iterdir()).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert recover_journals() == 0
    assert recover_journals() == 1
    assert recover_journals() == 0


def test_a_recovery_that_died_before_it_removed_the_file_is_done_again(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    message = make_message()
    work_and_die(Worker(folder, end(Reading.SENT)))
    path = next(folder.iterdir())
    kept = shutil.copy(path, tmp_path_factory.mktemp("kept"))
    recover_journals()
    shutil.copy(kept, path)
    assert recover_journals() == 1
    kinds = message.events.order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["sending", "sent"]


@pytest.mark.parametrize("gave_up", [False, True])
def test_a_long_history_is_not_read_for_it(folder: Path, gave_up: bool) -> None:
    message = make_message()
    work_and_die(Worker(folder, end(Reading.SENT)))
    if gave_up:
        lease_ran_out()
    grow_history()
    assert rows_read(recover_journals) < FEW
    assert facts(message)[0] == State.SENT


def test_a_message_that_somebody_keeps_locked_is_recovered_later(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing))
    locked, done = threading.Event(), threading.Event()

    def keep() -> None:
        with transaction.atomic():
            lock_messages([message.id])
            locked.set()
            done.wait(timeout=60)
        connections.close_all()

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        assert locked.wait(timeout=60)
        assert recover_journals() == 0
    finally:
        done.set()
        keeper.join()
    assert recover_journals() == 1
    assert facts(message)[0] == State.PENDING


def test_a_requeued_delivery_goes_on_without_the_late_truth(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, end(Reading.TEMPORARY)))
    lease_ran_out()
    Delivery.objects.update(state=State.DEAD, finalized_at=timezone.now())
    requeue([message.id], by=UserFactory(), reason="they wait for it")
    Delivery.objects.update(due_at=timezone.now() + timedelta(hours=1))
    recover_journals()
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.generation) == (State.PENDING, 2)
    assert Attempt.objects.get().outcome == "not_accepted"
    late = message.events.get(applied=False)
    assert late.data["generation"] == 1


@pytest.mark.parametrize(
    ("script", "state"),
    [
        (nothing, State.UNCERTAIN),
        (begin, State.UNCERTAIN),
        (end(Reading.TEMPORARY), State.UNCERTAIN),
        (end(Reading.MESSAGE_REFUSED), State.UNCERTAIN),
        (end(Reading.QUEUED), State.QUEUED),
    ],
    ids=["not begun", "begun", "not accepted", "refused", "accepted"],
)
def test_a_repeat_of_an_uncertain_hand_off_is_settled_by_an_acceptance_only(
    folder: Path, script: Script, state: State
) -> None:
    message = make_message()
    work_and_die(Worker(folder, script))
    lease_ran_out()
    Handoff.objects.update(tries=2)
    assert recover_journals() == 1
    assert facts(message)[0] == state
    kinds = list(message.events.order_by("seq").values_list("kind", flat=True))
    assert kinds == ["sending", "uncertain", *([state] if state == State.QUEUED else [])]


def test_what_the_worker_recorded_itself_stays(folder: Path) -> None:
    """A journal that plans a repeat which was never committed knows nothing of the first try."""
    message = make_message()
    work_and_die(Worker(folder, nothing))
    lease_ran_out()
    Attempt.objects.update(reading=Reading.AMBIGUOUS)
    recover_journals()
    assert facts(message) == ("uncertain", "uncertain", "ambiguous")


def test_a_lock_on_a_file_that_has_lost_its_name_is_none(folder: Path) -> None:
    """Another recovery may have removed it between open and lock."""
    path = folder / f"{uuid4()}.journal"
    path.write_text("the dead one's")
    with path.open("rb") as file:
        path.unlink()
        assert not _lock(path, file.fileno())
        path.write_text("somebody else's")
        assert not _lock(path, file.fileno())
    with path.open("rb") as file:
        assert _lock(path, file.fileno())


# -- hostile folders ------------------------------------------------------------------------------


def test_a_missing_folder_is_an_empty_one(folder: Path) -> None:
    folder.rmdir()
    assert recover_journals() == 0
    folder.mkdir()


def test_what_is_no_journal_is_left_alone_and_named_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = folder.parent / "elsewhere"
    secret.write_text("theirs")
    (folder / f"{uuid4()}.journal").symlink_to(secret)
    (folder / f"{uuid4()}.journal").mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / f"..{uuid4()}.journal").write_text("")
    (folder / f"{uuid4()}.journal.bak").write_text("")
    before = set(folder.iterdir())
    assert recover_journals() == 0
    assert recover_journals() == 0
    assert set(folder.iterdir()) == before
    assert secret.read_text() == "theirs"
    names = sorted(path.name for path in before)
    said = sorted(record.getMessage().split(": ")[1] for record in caplog.records)
    assert said == names


def test_a_pipe_under_a_journal_s_name_makes_nobody_wait(folder: Path) -> None:
    os.mkfifo(folder / f"{uuid4()}.journal")
    recover_journals()


def test_what_a_dead_maker_left_is_removed_and_a_living_one_s_is_not(folder: Path) -> None:
    dead, alive = folder / f"{uuid4()}.new", folder / f"{uuid4()}.new"
    dead.write_bytes(b"limbo-j1")
    with alive.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert recover_journals() == 1
    assert list(folder.iterdir()) == [alive]


def test_a_maker_whose_new_file_is_taken_for_a_dead_one_s_makes_another(folder: Path) -> None:
    stop = threading.Event()

    def recover_on_and_on() -> None:
        while not stop.is_set():
            recover_journals()
        connections.close_all()

    recovering = threading.Thread(target=recover_on_and_on)
    recovering.start()
    try:
        makers = [Journal(folder) for _ in range(200)]
        made = [maker.begin_batch(uuid4()) for maker in makers]
    finally:
        stop.set()
        recovering.join()
    assert {path.name for path in folder.iterdir()} == {f"{id_}.journal" for id_ in made}
    for maker in makers:
        maker.close()


# -- poison ---------------------------------------------------------------------------------------


def recovered_by_a_sibling() -> None:
    """Recover as the dead worker's own cluster does: in another child of its parent."""
    work_and_die(recover_journals)


def deaths(message: Message) -> int:
    """How many workers have died while they had it."""
    message.refresh_from_db()
    return message.deaths


@pytest.mark.parametrize("commits", [True, False])
def test_a_worker_that_dies_alone_counts_against_what_it_had_not_begun(
    folder: Path, commits: bool
) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing, commits=commits))
    recovered_by_a_sibling()
    assert message.deliveries.get().state == State.PENDING
    assert deaths(message) == 1
    assert_released(message)


def fail_to_connect(mine: Journal, handoff_id: Id) -> None:
    """Die after a provider that could not be reached: nothing was begun."""
    delivery = Delivery.objects.get(attempts__handoff_id=handoff_id)
    verdict = Verdict(Reading.UNREACHABLE)
    mine.ended(handoff_id, HandoffResult({str(delivery.id): verdict}))


@pytest.mark.parametrize(
    "script", [begin, end(Reading.SENT), end(Reading.TEMPORARY), fail_to_connect]
)
def test_it_does_not_count_against_what_it_was_done_with_or_must_not_repeat(
    folder: Path, script: Script
) -> None:
    message = make_message()
    work_and_die(Worker(folder, script))
    recovered_by_a_sibling()
    assert_released(message)
    assert deaths(message) == 0


def test_the_death_of_the_whole_cluster_counts_against_nothing(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing))
    recover_journals()
    assert facts(message)[0] == State.PENDING
    assert deaths(message) == 0


def test_a_worker_that_is_ended_with_its_cluster_counts_against_nothing(folder: Path) -> None:
    message = make_message()
    work_and_die(Worker(folder, nothing))
    stop_flag.set()
    try:
        recovered_by_a_sibling()
    finally:
        stop_flag.clear()
    assert facts(message)[0] == State.PENDING
    assert deaths(message) == 0


def test_a_message_that_has_killed_too_many_workers_is_dead(folder: Path) -> None:
    poison = make_message("a@example.org", "b@example.org")
    for count in range(1, POISON_DEATHS + 1):
        work_and_die(Worker(folder, nothing))
        recovered_by_a_sibling()
        assert deaths(poison) == count
    assert poison.state == State.DEAD
    assert poison.due_at is None
    assert claim_anew() is None
    reasons = poison.events.filter(kind="dead").values_list("data__reason", flat=True)
    assert list(reasons) == ["poison", "poison"]


def test_what_an_earlier_batch_had_ended_is_suspected_in_the_last_one(folder: Path) -> None:
    message = make_message()

    def two_batches() -> None:
        mine = Journal(folder)
        claim = claim_anew()
        assert claim is not None
        mine.begin_batch(claim.token)
        plan = _planned(str(message.id))
        with transaction.atomic():
            lock_messages([message.id])
            commit_in_flight([plan])
        mine.plan([plan.handoff_id])
        end(Reading.TEMPORARY)(mine, plan.handoff_id)
        mine.begin_batch(claim.token)
        Attempt.objects.update(outcome="not_accepted")
        Handoff.objects.update(outcome="not_accepted", ended_at=timezone.now())
        Delivery.objects.update(state=State.PENDING, due_at=timezone.now())

    work_and_die(two_batches)
    recovered_by_a_sibling()
    assert deaths(message) == 1


def test_a_repeat_that_has_killed_too_many_workers_is_repeated_no_more(folder: Path) -> None:
    """Its first try may have been accepted: it stays uncertain, for people to see."""
    message = make_message()
    work_and_die(Worker(folder, begin))
    recover_journals()
    Delivery.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    Message.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    handoff_id = str(Handoff.objects.get().id)

    def repeat() -> None:
        claim = claim_anew()
        assert claim is not None
        mine = Journal(folder)
        journal_id = mine.begin_batch(claim.token)
        mine.plan([handoff_id])
        with transaction.atomic():
            lock_messages(claim.message_ids)
            commit_repeats([handoff_id], journal_id=journal_id)
        mine.begun(handoff_id)

    for count in range(1, POISON_DEATHS + 1):
        work_and_die(repeat)
        recovered_by_a_sibling()
        assert deaths(message) == count
    assert facts(message)[0] == State.UNCERTAIN
    assert claim_anew() is None
    assert message.events.latest("seq").data == {"reason": "poison"}


@pytest.mark.parametrize("script", [begin, end(Reading.AMBIGUOUS)])
def test_where_the_provider_knows_our_key_what_is_uncertain_is_repeated(
    folder: Path, settings: Settings, script: Script
) -> None:
    settings.LIMBO_PROVIDERS = "first=anymail-resend://key@default"
    message = make_message()
    work_and_die(Worker(folder, script))
    recover_journals()
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    assert message.due_at is not None
