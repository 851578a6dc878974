"""Two workers, their providers, the sweeper, people and time, in whatever order.

Hypothesis chooses each step; after each one the invariants of the fault matrix hold, and when all
faults have ended honest workers settle everything.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.test import override_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifications.delivery.providers import sync_rows
from notifications.delivery.recovery import recover_journals
from notifications.history.positions import sequence_events
from notifications.history.tracking import Report, apply_tracking_event
from notifications.intake.errors import IdempotencyConflictError
from notifications.intake.mail_request import MailRequest, read_mail_request
from notifications.intake.submission import submit
from notifications.models import Message, State
from notifications.models.ids import Id
from notifications.models.lease import Lease
from notifications.models.state import TRACKING
from notifications.queue.choices import cancel, requeue, retry_now
from notifications.queue.sweep import sweep_expired
from notifications.tracking.lookup import find_attempt
from tests.factories import SuppressionFactory, UserFactory
from tests.faults.invariants import judge
from tests.stateful.clock import begin_anew, let_pass
from tests.stateful.invariants import moment_faults
from tests.stateful.providers import CONFIGURED, KEY_SECONDS, Decision, Passage, Providers
from tests.stateful.worker import Hand, KilledError, Worker

T = TypeVar("T")

WORKERS = 2

MOMENT, LEASE, WAIT, HOURS, DAY = 12, 66, 996, 18_000, 90_000
"""Seconds that may pass: a renewal's time; a lease with its grace; some waits; all; a deadline.

Multiples of six, as every wait and limit is: so none ends in the moment in which a step runs.
"""

_PEACE = (*10 * [WAIT], *10 * [HOURS])
"""The waits between the rounds in which honest workers must have settled everything.

Beyond a day, since an unclear answer may be given again for as long as its key is known.
"""

numbers = st.integers(0, 5)
"""Which of several; taken modulo how many there are."""


class Engine(RuleBasedStateMachine):
    """Everything that can happen to some messages."""

    def __init__(self) -> None:
        super().__init__()
        begin_anew()
        self.folder = Path(tempfile.mkdtemp(prefix="limbo-stateful-"))
        self.settings = override_settings(LIMBO_PROVIDERS=CONFIGURED, LIMBO_JOURNAL_DIR=self.folder)
        self.settings.enable()
        sync_rows()
        self.world = Providers()
        self.workers = [Worker(number, self.folder, self.world) for number in range(WORKERS)]
        self.owner = UserFactory()
        self.staff = UserFactory()
        SuppressionFactory(owner=self.owner, address="gone@example.org")
        self.accepted: list[UUID] = []
        self.keys: dict[str, tuple[float, MailRequest, UUID]] = {}
        self.reports: list[tuple[Passage, Id, State, str]] = []
        self.is_journal_lost = False

    # -- submission --------------------------------------------------------------------------

    @initialize(count=st.integers(1, 2), seed=st.integers(0, 99), is_stalled=st.booleans())
    def begins(self, count: int, seed: int, *, is_stalled: bool) -> None:
        """With some messages; one worker may have them on the wire, and have been given up."""
        random.seed(seed)  # by which providers are chosen
        for _ in range(count):
            self._submit(("a@example.org", "b@example.org"), key=None)
        if is_stalled:
            self.a_worker_works(number=0, steps=3, limit=3, sends=True)
            self.nobody_is_heard_of_past_the_lease()
            self.time_passes(WAIT)

    @rule(
        to=st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True),
        suppressed=st.booleans(),
        key=st.sampled_from((None, "one", "two")),
    )
    def somebody_submits(self, to: list[str], *, suppressed: bool, key: str | None) -> None:
        addresses = [f"{name}@example.org" for name in to]
        self._submit((*addresses, "gone@example.org") if suppressed else addresses, key=key)

    def _submit(self, addresses: Sequence[str], *, key: str | None) -> None:
        fields = {"from": "app@example.com", "to": list(addresses), "subject": "x", "message": "x"}
        request = read_mail_request(fields)
        at, known, first = self.keys.get(key or "", (-KEY_SECONDS, None, None))
        is_known = self.world.now - at < KEY_SECONDS
        try:
            made = submit(owner=self.owner, request=request, idempotency_key=key)
        except IdempotencyConflictError:
            assert is_known, "a key was taken for another request's that is long forgotten"
            assert known != request, "the same request was taken for another one"
            return
        assert made.is_repeat == is_known
        assert not is_known or (made.message_id, request) == (first, known)
        if not made.is_repeat:
            self.accepted.append(made.message_id)
            if key:
                self.keys[key] = self.world.now, request, made.message_id

    # -- workers -----------------------------------------------------------------------------

    @rule(number=numbers, steps=st.integers(1, 3), limit=st.integers(1, 3), sends=st.booleans())
    def a_worker_works(self, number: int, steps: int, limit: int, *, sends: bool) -> None:
        worker = self._worker(number)
        for _ in range(steps):
            worker.work(limit=limit)
        while sends and (hand := worker.begin()) is not None:
            worker.go_on(hand)

    @precondition(lambda self: any(worker.crew.is_busy for worker in self.workers))
    @rule(number=numbers, goes_on=st.booleans())
    def a_hand_off_begins(self, number: int, *, goes_on: bool) -> None:
        busy = [worker for worker in self.workers if worker.crew.is_busy]
        worker = _pick(busy, number)
        hand = worker.begin()
        if hand is not None and goes_on:
            worker.go_on(hand)

    @precondition(lambda self: self._connecting())
    @rule(number=numbers, is_reachable=st.booleans())
    def a_connection_is_made(self, number: int, *, is_reachable: bool) -> None:
        worker, hand = _pick(self._connecting(), number)
        if is_reachable:
            worker.go_on(hand)
        else:
            hand.is_unreachable()

    @precondition(lambda self: self.world.undecided)
    @rule(number=numbers, decision=st.sampled_from(Decision))
    def a_provider_decides(self, number: int, decision: Decision) -> None:
        self.world.decide(_pick(self.world.undecided, number), decision)

    @precondition(lambda self: self._on_the_wire())
    @rule(number=numbers, decision=st.sampled_from(Decision), arrives=st.booleans())
    def an_answer_comes(self, number: int, decision: Decision, *, arrives: bool) -> None:
        hand, passage = _pick(self._on_the_wire(), number)
        if arrives and passage.verdicts is None:
            self.world.decide(passage, decision)
        hand.come_back(passage.answer() if arrives else passage.silence())

    @precondition(lambda self: any(not worker.is_idle for worker in self.workers))
    @rule(number=numbers)
    def a_worker_is_told_to_stop(self, number: int) -> None:
        self._worker(number).is_stopping = True

    # -- faults ------------------------------------------------------------------------------

    @precondition(lambda self: any(not worker.is_idle for worker in self.workers))
    @rule(number=numbers, in_step=st.booleans(), keeps_journal=st.sampled_from((True, True, False)))
    def a_worker_is_killed(self, number: int, *, in_step: bool, keeps_journal: bool) -> None:
        worker = _pick([one for one in self.workers if not one.is_idle], number)
        if in_step:
            with suppress(KilledError):
                worker.work(dies=True)
        if not keeps_journal:
            self.is_journal_lost = True
            worker.lose_journal()
        worker.die()

    @precondition(lambda self: any(worker.claim for worker in self.workers))
    @rule(number=numbers)
    def a_task_is_written_off(self, number: int) -> None:
        claims = [worker.claim for worker in self.workers if worker.claim]
        Lease(_pick(claims, number).token).release_all()

    @rule(seconds=st.sampled_from((MOMENT, MOMENT, LEASE, LEASE, WAIT, HOURS, DAY)))
    def time_passes(self, seconds: int) -> None:
        let_pass(seconds)
        self.world.now += seconds
        for worker in self.workers:
            worker.age(seconds)

    @rule(work=st.sampled_from((sweep_expired, recover_journals, sequence_events)))
    def a_broker_ticks(self, work: Callable[[], int]) -> None:
        work()

    @rule()
    def nobody_is_heard_of_past_the_lease(self) -> None:
        self.time_passes(LEASE)
        sweep_expired()

    # -- what providers report ---------------------------------------------------------------

    @precondition(lambda self: self.world.taken)
    @rule(number=numbers, state=st.sampled_from(TRACKING), name=st.sampled_from("xy"))
    def a_provider_reports(self, number: int, state: State, name: str) -> None:
        passage, delivery_id = _pick(self.world.taken, number)
        report = passage, delivery_id, state, f"{name}-{state}"
        self.reports.append(report)
        self._report(*report)

    @precondition(lambda self: self.reports)
    @rule(number=numbers)
    def a_report_comes_again(self, number: int) -> None:
        assert not self._report(*_pick(self.reports, number))

    def _report(self, passage: Passage, delivery_id: Id, state: State, report_id: str) -> bool:
        envelope = passage.request.envelope
        (address,) = [r.address for r in envelope if r.delivery_id == delivery_id]
        attempt = find_attempt(
            handoff_id=UUID(passage.request.handoff_id), provider_message_id="", recipient=address
        )
        assert attempt is not None, "a hand-off came that is not stored"
        report_id = f"{report_id}-{attempt.handoff_id}"
        return apply_tracking_event(Report(attempt, state, report_id, {"provider": "x"}))

    # -- what people choose ------------------------------------------------------------------

    @rule(number=numbers, choice=st.sampled_from(("cancel", "retry", "requeue")))
    def somebody_chooses(self, number: int, choice: str) -> None:
        chosen = [_pick(self.accepted, number)]
        if choice == "cancel":
            cancel(chosen, by=self.staff)
        elif choice == "retry":
            retry_now(chosen, by=self.staff)
        else:
            requeue(chosen, by=self.staff, reason="it was mended")

    # -- what must hold ----------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        faults = moment_faults(self.accepted, self.world)
        assert not faults, "; ".join(faults)

    def teardown(self) -> None:
        """End all faults; honest workers must settle everything."""
        try:
            self._make_peace()
            self._judge()
        finally:
            for worker in self.workers:
                worker.die()
            self.settings.disable()
            shutil.rmtree(self.folder)

    def _make_peace(self) -> None:
        for worker in self.workers:
            worker.is_stopping = False
        for seconds in _PEACE:
            for worker in self.workers:
                self._finish(worker)
            recover_journals()
            sweep_expired()
            self.everything_holds()
            waiting = Message.objects.filter(due_at__isnull=False)
            leased = Message.objects.filter(lease_until__isnull=False)
            if not waiting.exists() and not leased.exists():
                return
            self.time_passes(seconds)
        raise AssertionError("something is due for ever, or leased")

    def _finish(self, worker: Worker) -> None:
        """Let it claim and deliver until nothing is due; providers take everything now."""
        worker.work()
        while not worker.is_idle:
            while (hand := worker.begin()) is not None:
                worker.go_on(hand)
            for hand in list(worker.hands):
                self._end(worker, hand)
            worker.work()

    def _end(self, worker: Worker, hand: Hand) -> None:
        if hand.passage is None:
            worker.go_on(hand)
        if not hand.is_over and hand.passage is not None:
            if hand.passage.verdicts is None:
                self.world.decide(hand.passage, Decision.TAKES)
            hand.come_back(hand.passage.answer())

    def _judge(self) -> None:
        received = [passage.as_received() for passage in self.world.passages]
        problems = judge(self.accepted, received).problems
        if self.is_journal_lost:
            # then nobody can know what had not begun
            problems = [p for p in problems if not p.startswith("groundless doubt")]
        assert not problems, "; ".join(problems)

    # -- choosing ----------------------------------------------------------------------------

    def _worker(self, number: int) -> Worker:
        return _pick(self.workers, number)

    def _hands(self) -> list[tuple[Worker, Hand]]:
        return [(w, hand) for w in self.workers for hand in w.hands if not hand.is_over]

    def _connecting(self) -> list[tuple[Worker, Hand]]:
        return [(worker, hand) for worker, hand in self._hands() if hand.passage is None]

    def _on_the_wire(self) -> list[tuple[Hand, Passage]]:
        return [(hand, hand.passage) for _, hand in self._hands() if hand.passage is not None]


def _pick(some: Sequence[T], number: int) -> T:
    return some[number % len(some)]
