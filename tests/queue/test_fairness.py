"""Nobody's mail waits for more of the others' than its share, whatever they submit."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.limbo_side.line import give_turns
from notifications.intake.mail_request import MailRequest, read_mail_request
from notifications.intake.submission import submit
from notifications.models import FairShare, Message, Priority, State, User
from notifications.models.fair_share import HEAD_START
from notifications.queue.choices import cancel
from notifications.queue.claim import CLAIM_LIMIT, claim_next
from tests.factories import UserFactory
from tests.queue.line import become_due, ids_of, queue_up

pytestmark = pytest.mark.django_db

USERS = 4
MOST_RECIPIENTS = 3


@pytest.fixture(autouse=True)
def no_wakeups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, and a thread would outlive the test."""
    monkeypatch.setattr("notifications.intake.submission.wake", lambda: None)


def request(priority: Priority = Priority.NORMAL, recipients: int = 1) -> MailRequest:
    """A request of that priority to so many recipients."""
    fields = {
        "from": "app@example.com",
        "to": [f"reader{number}@example.org" for number in range(recipients)],
        "subject": "Hello",
        "message": "Hello.",
        "priority": priority.value,
    }
    return read_mail_request(fields)


def send(owner: User, priority: Priority = Priority.NORMAL, recipients: int = 1) -> UUID:
    """Submit one message."""
    return submit(owner=owner, request=request(priority, recipients)).message_id


def serve(limit: int = CLAIM_LIMIT) -> list[UUID]:
    """Claim a batch and have it sent; returns its messages in their order."""
    claim = claim_next(limit=limit)
    if claim is None:
        return []
    settled = Message.objects.filter(id__in=claim.message_ids)
    settled.update(state=State.SENT, due_at=None, turn=None, lease_token=None, lease_until=None)
    return ids_of(claim)


def serve_until(message_id: UUID, limit: int = CLAIM_LIMIT) -> list[UUID]:
    """Serve batches up to the one with that message; returns what came before it."""
    served: list[UUID] = []
    while message_id not in served:
        batch = serve(limit)
        assert batch, "the queue ended without it"
        served += batch
    return served[: served.index(message_id)]


@pytest.fixture
def owner() -> User:
    """Somebody who cancels."""
    return UserFactory()


@contextmanager
def rolled_back() -> Iterator[None]:
    """Give each example of Hypothesis an empty queue."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Run:
    """A queue that is filled and served, with what happened in order."""

    def __init__(self) -> None:
        self.users = [UserFactory() for _ in range(USERS)]
        self.line: list[tuple[str, UUID]] = []
        self.facts: dict[UUID, tuple[int, Priority, int]] = {}

    def send(self, user: int, priority: Priority, recipients: int) -> None:
        message_id = send(self.users[user], priority, recipients)
        self.facts[message_id] = (user, priority, recipients)
        self.line.append(("sent", message_id))

    def serve(self, limit: int) -> bool:
        batch = serve(limit)
        self.line += [("served", message_id) for message_id in batch]
        return bool(batch)

    def play(self, steps: list[tuple[int, Priority, int] | int]) -> None:
        """Take the steps, each a submission or a batch's size, and serve what is left."""
        for step in steps:
            if isinstance(step, int):
                self.serve(step)
            else:
                self.send(*step)
        while self.serve(5):
            pass

    def of(self, kind: str) -> list[UUID]:
        """The messages that were submitted, or served, in order."""
        return [message_id for what, message_id in self.line if what == kind]


users = st.integers(0, USERS - 1)
recipients = st.integers(1, MOST_RECIPIENTS)
batches = st.integers(1, 5)
normal_mail = st.tuples(users, st.just(Priority.NORMAL), recipients)
any_mail = st.tuples(users, st.sampled_from(Priority), recipients)


def steps(mail: st.SearchStrategy[tuple[int, Priority, int]]) -> st.SearchStrategy[list[object]]:
    """Submissions, a few batches between them, and bursts of one user's mail."""
    burst = st.builds(lambda one, times: [one] * times, mail, st.integers(1, 12))
    batch = batches.map(lambda size: [size])
    return st.lists(burst | batch, max_size=12).map(
        lambda parts: [s for part in parts for s in part]
    )


@settings(max_examples=40, deadline=None)
@given(steps(any_mail))
def test_a_users_messages_of_one_priority_go_in_the_order_they_came(plan: list[object]) -> None:
    with rolled_back():
        run = Run()
        run.play(plan)  # type: ignore[arg-type]
        lines = {(user, priority) for user, priority, _ in run.facts.values()}
        for line in lines:
            sent, served = (
                [id_ for id_ in run.of(kind) if run.facts[id_][:2] == line]
                for kind in ("sent", "served")
            )
            assert sent == served


@settings(max_examples=40, deadline=None)
@given(steps(any_mail))
def test_of_one_users_messages_urgent_go_first_and_bulk_last(plan: list[object]) -> None:
    """As long as they are fewer than the head start."""
    rank = list(Priority)
    with rolled_back():
        run = Run()
        run.play(plan)  # type: ignore[arg-type]
        waiting: list[UUID] = []
        for what, message_id in run.line:
            if what == "sent":
                waiting.append(message_id)
                continue
            waiting.remove(message_id)
            user, priority, _ = run.facts[message_id]
            passed = [run.facts[id_][1] for id_ in waiting if run.facts[id_][0] == user]
            assert all(rank.index(priority) <= rank.index(other) for other in passed)


@settings(max_examples=60, deadline=None)
@given(steps(normal_mail))
def test_nobody_waits_for_more_of_another_than_his_own_last_message_cost(
    plan: list[object],
) -> None:
    """From when a message is its owner's next: one turn for each of the others, at equal cost."""
    with rolled_back():
        run = Run()
        run.play(plan)  # type: ignore[arg-type]
        for user in range(USERS):
            own = [id_ for id_ in run.of("sent") if run.facts[id_][0] == user]
            for last, message_id in pairwise([None, *own]):
                assert message_id is not None
                assert_fair(run, message_id, last)


def assert_fair(run: Run, message_id: UUID, last: UUID | None) -> None:
    """Check whom `message_id` waited for since it came and its owner's `last` one was served."""
    since = run.line.index(("sent", message_id))
    allowed = 1
    if last is not None:
        since = max(since, run.line.index(("served", last)))
        allowed += run.facts[last][2]
    until = run.line.index(("served", message_id))
    before = [run.facts[id_][0] for what, id_ in run.line[since + 1 : until] if what == "served"]
    for other in set(before):
        assert before.count(other) <= allowed


def test_a_newcomer_is_in_the_next_batch_however_long_the_others_queue() -> None:
    flood = UserFactory()
    queue_up(flood, 20_000)
    for _ in range(5):
        serve()
    assert len(serve_until(send(UserFactory()))) < CLAIM_LIMIT


def test_nobody_waits_until_a_backlog_that_no_worker_has_seen_has_its_turns() -> None:
    become_due(UserFactory(), 5000)
    Message.objects.update(due_at=timezone.now() - timedelta(hours=1))
    newcomer = UserFactory()
    normal, urgent = send(newcomer), send(newcomer, Priority.URGENT)
    batch = serve()
    assert batch[0] == urgent
    assert normal in batch


@pytest.mark.parametrize("have_much", [queue_up, become_due], ids=["in line", "without turns yet"])
def test_users_who_all_have_much_to_send_take_turns(
    have_much: Callable[[User, int], None],
) -> None:
    owners = [UserFactory() for _ in range(5)]
    for owner in owners:
        have_much(owner, 400)
    for _ in range(8):
        batch = serve(50)
        sent = Message.objects.filter(id__in=batch).values_list("owner", flat=True)
        assert {list(sent).count(owner.pk) for owner in owners} == {10}


def test_urgent_mail_passes_the_others_normal_mail() -> None:
    queue_up(UserFactory(), 3000)
    serve()
    assert serve_until(send(UserFactory(), Priority.URGENT)) == []


def test_a_flood_of_urgent_mail_does_not_stop_anothers_normal_mail() -> None:
    flood, other = UserFactory(), UserFactory()
    queue_up(flood, 5000, Priority.URGENT)
    message_id = send(other)
    assert len(serve_until(message_id)) <= HEAD_START
    # from here on they take turns
    more = [send(other) for _ in range(20)]
    assert len(serve_until(more[-1], limit=10)) < 20 * 3


def test_a_flood_of_urgent_mail_does_not_put_newcomers_behind_everybodys_backlog() -> None:
    for _ in range(8):
        queue_up(UserFactory(), 600)
    queue_up(UserFactory(), 4000, Priority.URGENT)
    for _ in range(2 * HEAD_START // CLAIM_LIMIT):
        serve()
    assert len(serve_until(send(UserFactory()))) < CLAIM_LIMIT


@pytest.mark.parametrize("have_much", [queue_up, become_due], ids=["in line", "without turns yet"])
def test_bulk_mail_waits_for_the_others_head_start_and_no_longer(
    have_much: Callable[[User, int], None],
) -> None:
    stream = UserFactory()
    have_much(stream, CLAIM_LIMIT)
    message_id = send(UserFactory(), Priority.BULK)
    served = 0
    while message_id not in (batch := serve(CLAIM_LIMIT)):
        served += len(batch)
        have_much(stream, 2 * CLAIM_LIMIT)
        assert served <= HEAD_START + 2 * CLAIM_LIMIT
    assert served >= HEAD_START - CLAIM_LIMIT


def test_after_a_quiet_time_a_users_urgent_mail_has_its_head_start_again() -> None:
    owner = UserFactory()
    queue_up(owner, 3 * HEAD_START + CLAIM_LIMIT // 2, Priority.URGENT)
    while serve():
        pass
    normal = send(owner)
    urgent = send(owner, Priority.URGENT)
    assert serve() == [urgent, normal]


def test_what_a_user_has_had_sent_is_no_debt() -> None:
    """A newcomer's stream does not go before all that a busy user sends later."""
    busy, newcomer = UserFactory(), UserFactory()
    queue_up(busy, 5000)
    while serve():
        pass
    queue_up(newcomer, 3000)
    serve()
    assert FairShare.objects.get(owner=busy).finish >= 5000
    assert len(serve_until(send(busy))) < CLAIM_LIMIT


def test_what_was_cancelled_is_no_debt(owner: User) -> None:
    """Nobody waits behind his own mail that will never go."""
    newcomer = UserFactory()
    queue_up(owner, 3000)
    queue_up(newcomer, 1500)
    _, *rest = Message.objects.owned_by(owner).order_by("turn").values_list("id", flat=True)
    cancel(rest, by=owner)
    serve(1)
    assert len(serve_until(send(owner))) < 10


def test_after_some_were_cancelled_the_order_is_still_that_of_submission(owner: User) -> None:
    ids = [send(owner) for _ in range(6)]
    cancel([ids[1], ids[4], ids[5]], by=owner)
    ids += [send(owner), send(owner)]
    assert serve() == [ids[0], ids[2], ids[3], ids[6], ids[7]]


def test_the_order_holds_when_turns_are_given_and_messages_come_in_at_random() -> None:
    """Retries and new mail of one user, among the others': nobody is left behind."""
    chance = random.Random(7)  # noqa: S311 - a test's dice
    owners = [UserFactory() for _ in range(3)]
    for _ in range(30):
        become_due(chance.choice(owners), chance.randint(1, 40))
        give_turns()
        send(chance.choice(owners))
        serve(chance.randint(1, 30))
    quiet = send(UserFactory())
    assert len(serve_until(quiet, limit=10)) < 10
