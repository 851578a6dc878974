"""The threads: a provider gets its share of them, and what nobody has begun can be taken back."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from uuid import uuid4

import pytest

from notifications.delivery.crew import Crew, crew
from notifications.delivery.jobs import Ended, Job
from notifications.delivery.journal import Journal
from notifications.delivery.provider_config import ProviderConfig, parse_providers
from notifications.delivery.reading import Reading
from notifications.delivery.stop_flag import stop_flag
from notifications.models.lease import Lease, boottime
from tests.conftest import wait_until
from tests.delivery.handing_over import reading, request_to
from tests.peers.actions import drop, reply, stall
from tests.peers.smtp_peer import SmtpPeer


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    """Where a test keeps its peers open."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal in which a batch has begun."""
    journal = Journal(tmp_path)
    journal.begin_batch(uuid4())
    return journal


def provider(name: str, peer: SmtpPeer) -> ProviderConfig:
    """A peer as a provider."""
    return parse_providers(f"{name}=smtp://127.0.0.1:{peer.port}")[name]


def job(to: ProviderConfig, journal: Journal, *, share: int = 8, lease: float = 60) -> Job:
    """A hand-off under a lease with so many seconds left."""
    held = Lease(uuid4(), boottime() + lease)
    return Job(request_to("reader@example.org"), to, held, journal, share)


def test_a_job_is_handed_over_and_its_end_reported(peers: ExitStack, journal: Journal) -> None:
    peer = peers.enter_context(SmtpPeer())
    results: SimpleQueue[Ended] = SimpleQueue()
    Crew(2).start([job(provider("first", peer), journal)], results)
    assert reading(results.get(timeout=30).result) is Reading.SENT
    assert len(peer.taken) == 1


def test_a_provider_that_hangs_holds_its_share_of_the_threads_only(
    peers: ExitStack, journal: Journal
) -> None:
    slow = peers.enter_context(SmtpPeer(on={"greeting": stall()}))
    quick = peers.enter_context(SmtpPeer())
    crew, results = Crew(4), SimpleQueue[Ended]()
    for _ in range(20):
        crew.start([job(provider("slow", slow), journal, share=2)], results)
    for _ in range(20):
        crew.start([job(provider("quick", quick), journal, share=2)], results)
    wait_until(lambda: len(quick.taken) == 20)
    assert slow.connections == 2


def test_a_provider_that_fails_again_and_again_waits_until_the_batch_has_looked(
    peers: ExitStack, journal: Journal
) -> None:
    failing = peers.enter_context(SmtpPeer(on={"greeting": reply("554 5.3.2 closed")}))
    quick = peers.enter_context(SmtpPeer())
    crew, results = Crew(4), SimpleQueue[Ended]()
    for _ in range(50):
        crew.start([job(provider("failing", failing), journal, share=2)], results)
    for _ in range(20):
        crew.start([job(provider("quick", quick), journal, share=2)], results)
    wait_until(lambda: results.qsize() >= 25)
    # five, and what the other thread had begun
    assert failing.connections <= 6
    crew.go_on()
    wait_until(lambda: results.qsize() >= 30)
    assert failing.connections <= 12


def test_a_provider_that_refuses_us_altogether_waits_until_the_batch_has_looked(
    peers: ExitStack, journal: Journal
) -> None:
    refusing = peers.enter_context(
        SmtpPeer(on={"mail": [reply("530 5.7.0 authenticate first")] * 50})
    )
    crew, results = Crew(1), SimpleQueue[Ended]()
    crew.start([job(provider("refusing", refusing), journal) for _ in range(20)], results)
    quick = peers.enter_context(SmtpPeer())
    crew.start([job(provider("quick", quick), journal)], results)
    wait_until(lambda: len(quick.taken) == 1)
    assert results.qsize() == 2
    assert len(crew.withdraw("refusing")) == 19


def test_what_no_thread_has_begun_can_be_taken_back(peers: ExitStack, journal: Journal) -> None:
    slow = peers.enter_context(SmtpPeer(on={"greeting": stall()}))
    crew, results = Crew(1), SimpleQueue[Ended]()
    to = provider("slow", slow)
    jobs = [job(to, journal) for _ in range(5)]
    crew.start(jobs, results)
    wait_until(lambda: slow.connections == 1)
    assert crew.withdraw("other") == []
    assert crew.withdraw("slow") == jobs[1:]
    assert crew.withdraw() == []


def test_nothing_begins_with_too_little_of_the_lease_left(
    peers: ExitStack, journal: Journal
) -> None:
    peer = peers.enter_context(SmtpPeer())
    results: SimpleQueue[Ended] = SimpleQueue()
    Crew(1).start([job(provider("first", peer), journal, lease=39)], results)
    assert reading(results.get(timeout=30).result) is Reading.NOT_BEGUN
    assert peer.connections == 0


def test_nothing_begins_once_the_stop_flag_is_set(peers: ExitStack, journal: Journal) -> None:
    peer = peers.enter_context(SmtpPeer())
    results: SimpleQueue[Ended] = SimpleQueue()
    stop_flag.set()
    try:
        Crew(1).start([job(provider("first", peer), journal)], results)
        assert reading(results.get(timeout=30).result) is Reading.NOT_BEGUN
    finally:
        stop_flag.clear()
    assert peer.connections == 0


def test_a_lease_that_was_lost_on_the_way_keeps_the_final_dot_back(
    peers: ExitStack, journal: Journal
) -> None:
    class Slow(SmtpPeer):
        lease: Lease

        def act(self, moment: str, line: object) -> bool:
            if moment == "data":
                self.lease.lose()
            return super().act(moment, line)  # type: ignore[arg-type]

    peer = peers.enter_context(Slow())
    results: SimpleQueue[Ended] = SimpleQueue()
    one = job(provider("first", peer), journal)
    peer.lease = one.lease
    Crew(1).start([one], results)
    assert reading(results.get(timeout=30).result) is Reading.NOT_BEGUN
    assert peer.taken == []


def test_without_a_journal_that_can_be_written_the_final_dot_is_kept_back(
    peers: ExitStack, tmp_path: Path
) -> None:
    peer = peers.enter_context(SmtpPeer())
    results: SimpleQueue[Ended] = SimpleQueue()
    Crew(1).start([job(provider("first", peer), Journal(tmp_path))], results)
    assert reading(results.get(timeout=30).result) is Reading.NOT_BEGUN
    assert peer.taken == []


def test_a_process_has_one_crew() -> None:
    assert crew() is crew()


PIPELINING = ("SIZE 20000000", "8BITMIME", "PIPELINING")


def test_what_a_thread_is_to_do_next_can_be_taken_back_while_it_waits(
    peers: ExitStack, journal: Journal
) -> None:
    # the third end is what it waits for: by then the fourth job is promised to it
    dots = [reply("250 2.0.0 taken"), reply("250 2.0.0 taken"), stall()]
    peer = peers.enter_context(SmtpPeer(on={"dot": dots}, extensions=PIPELINING))
    crew, results = Crew(1), SimpleQueue[Ended]()
    jobs = [job(provider("first", peer), journal) for _ in range(5)]
    crew.start(jobs, results)
    wait_until(lambda: len(peer.ended) == 3)
    wait_until(lambda: len(crew._by_smtp._ahead) == 1)
    assert crew.withdraw("first") == jobs[3:]
    assert results.qsize() == 2


def test_a_provider_that_begins_to_fail_does_not_get_what_was_promised_to_it(
    peers: ExitStack, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.delivery.squad.FAILURES_IN_A_ROW", 1)
    dots = [reply("250 2.0.0 taken"), drop()]
    peer = peers.enter_context(SmtpPeer(on={"dot": dots}, extensions=PIPELINING))
    quick = peers.enter_context(SmtpPeer())
    crew, results = Crew(1), SimpleQueue[Ended]()
    jobs = [job(provider("failing", peer), journal) for _ in range(5)]
    crew.start([*jobs, job(provider("quick", quick), journal)], results)
    wait_until(lambda: results.qsize() == 3)
    assert len(quick.taken) == 1
    assert crew.withdraw("failing") == jobs[2:]


def test_many_conversations_by_smtp_share_one_thread(peers: ExitStack, journal: Journal) -> None:
    slow = peers.enter_context(SmtpPeer(on={"greeting": stall()}))
    to = provider("slow", slow)
    before = own_threads()
    Crew(100).start([job(to, journal, share=100) for _ in range(100)], SimpleQueue[Ended]())
    wait_until(lambda: slow.connections == 100)
    assert own_threads() == before + 1


def own_threads() -> int:
    """How many threads the crews have, those of other tests among them."""
    return len([t for t in threading.enumerate() if "strands" in t.name or "handoff" in t.name])
