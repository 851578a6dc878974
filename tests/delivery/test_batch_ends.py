"""How a batch ends before all of it has begun: it is to stop, time is up, something broke."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from django.db import OperationalError, connection, transaction
from pytest_django import Settings

from notifications.delivery import batch
from notifications.delivery.batch import deliver_batch
from notifications.delivery.journal import journal
from notifications.delivery.launch import Launcher
from notifications.delivery.routes import Routes
from notifications.delivery.routing import usable_routes
from notifications.delivery.stop_flag import stop_flag
from notifications.history.changes import lock_messages
from notifications.history.in_flight import Planned, commit_in_flight
from notifications.models import Attempt, Handoff, Message, Provider, State
from notifications.models.ids import new_id
from notifications.models.lease import Lease, boottime
from notifications.queue.claim import claim_next
from tests.delivery.two_providers import configure, deliver, smtp
from tests.factories import make_message
from tests.long_history import FEW, grow_history, rows_read
from tests.peers.actions import Action, Line, reply
from tests.peers.smtp_peer import SmtpPeer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    """Where a test keeps its peers open."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def one_thread(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crew of a single thread, of this test's own."""
    settings.LIMBO_THREADS = 1
    monkeypatch.setattr("notifications.delivery.crew._crews", {})


@pytest.fixture
def flag() -> Iterator[None]:
    """Clears the stop flag behind the test."""
    yield
    stop_flag.clear()


def after(happens: Callable[[], object], text: str) -> Action:
    """Let something happen at that moment, and answer `text` then."""

    def act(line: Line) -> None:
        happens()
        reply(text).do(line)

    return Action(act, text)


@pytest.mark.usefixtures("one_thread", "flag")
def test_a_worker_that_is_to_stop_ends_what_is_on_the_wire_and_releases_the_rest(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(SmtpPeer(on={"mail": after(stop_flag.set, "250 ok")}))
    configure(settings, {"first": smtp(peer)})
    for _ in range(5):
        make_message()
    deliver()
    assert len(peer.taken) == 1
    states = sorted(Message.objects.values_list("state", flat=True))
    assert states == [*[State.PENDING] * 4, State.SENT]
    assert not Message.objects.filter(lease_until__isnull=False).exists()
    assert not Message.objects.filter(state=State.PENDING, due_at__isnull=True).exists()


@pytest.mark.usefixtures("flag")
def test_a_batch_that_is_taken_up_after_the_stop_is_released_whole(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    make_message()
    stop_flag.set()
    deliver()
    assert peer.connections == 0
    assert Message.objects.get().lease_until is None


@pytest.mark.usefixtures("one_thread")
def test_when_its_time_is_up_a_batch_lets_go_of_what_waits_for_a_slow_provider(
    settings: Settings, peers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BATCH_SECONDS", 0.5)
    released = threading.Event()
    slow = after(lambda: released.wait(2), "250 ok")
    peer = peers.enter_context(SmtpPeer(on={"mail": [slow]}))
    configure(settings, {"first": smtp(peer)})
    for _ in range(3):
        make_message()
    deliver()
    assert len(peer.taken) == 1
    left = Message.objects.filter(state=State.PENDING)
    assert left.count() == 2
    assert not left.filter(lease_until__isnull=False).exists()
    assert set(Attempt.objects.exclude(outcome="accepted").values_list("reading", flat=True)) == {
        "not_begun"
    }


def test_without_a_journal_nothing_is_sent(
    settings: Settings, peers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    monkeypatch.setattr("notifications.delivery.journal._journals", {})
    settings.LIMBO_JOURNAL_DIR = "/proc/nowhere"
    message = make_message()
    deliver()
    assert peer.connections == 0
    message.refresh_from_db()
    assert message.state == State.PENDING
    # it is not tried again at once
    assert message.lease_until is not None


def in_flight(settings: Settings, peers: ExitStack) -> tuple[Message, Planned, Launcher]:
    """A message whose hand-off is committed and given to no thread, and its batch's launcher."""
    configure(settings, {"first": smtp(peers.enter_context(SmtpPeer()))})
    message = make_message()
    claim = claim_next()
    assert claim is not None
    lease = Lease(claim.token)
    journal().begin_batch(lease.token)
    provider = Provider.objects.get(name="first")
    delivery = message.deliveries.get()
    planned = Planned(new_id(), str(message.id), provider.id, provider.name, (str(delivery.id),))
    with transaction.atomic():
        lock_messages([message.id], lease=lease)
        commit_in_flight([planned], journal_id=journal().id, lease=lease)
    launcher = Launcher(lease, journal(), Routes(usable_routes()), {}, (), 8)
    return message, planned, launcher


def test_what_a_commit_left_in_flight_whose_answer_was_lost_goes_back_to_pending(
    settings: Settings, peers: ExitStack
) -> None:
    message, _, launcher = in_flight(settings, peers)
    launcher.forget_unbegun({new_id()})
    message.refresh_from_db()
    assert message.state == State.PENDING
    assert Handoff.objects.get().outcome == "not_accepted"


def test_a_long_history_is_not_read_for_what_never_began(
    settings: Settings, peers: ExitStack
) -> None:
    _, _, launcher = in_flight(settings, peers)
    grow_history()
    assert rows_read(lambda: launcher.forget_unbegun(set())) < FEW


def test_a_hand_off_that_has_begun_is_not_taken_for_lost(
    settings: Settings, peers: ExitStack
) -> None:
    message, begun, launcher = in_flight(settings, peers)
    launcher.forget_unbegun({begun.handoff_id})
    message.refresh_from_db()
    assert message.state == State.SENDING


def test_the_database_may_go_away_between_the_answer_and_its_record(
    settings: Settings, peers: ExitStack
) -> None:
    def cut() -> None:
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND query NOT LIKE 'LISTEN%'"""
            )
        connection.close()

    peer = peers.enter_context(SmtpPeer(on={"dot": after(cut, "250 2.0.0 ok")}))
    configure(settings, {"first": smtp(peer)})
    message = make_message()
    deliver()
    message.refresh_from_db()
    assert message.state == State.SENT
    assert len(peer.taken) == 1


def test_a_fault_of_our_own_ends_the_worker_once_the_wire_is_silent(
    settings: Settings, peers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> set[str]:
        raise RuntimeError("a fault of our own")

    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    make_message()
    claim = claim_next()
    assert claim is not None
    monkeypatch.setattr(batch, "note_provider_faults", broken)
    with pytest.raises(SystemExit):
        deliver_batch(
            str(claim.token),
            claim.message_ids,
            claimed_at=boottime(),
            cluster="test",
        )
    assert len(peer.taken) == 1
    assert Handoff.objects.get().outcome == "in_flight"
