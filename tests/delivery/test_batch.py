"""A claimed batch goes out through whichever provider works, once, and each case is recorded."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from notifications.delivery.batch import deliver_batch
from notifications.delivery.reading import Reading
from notifications.history.changes import Change
from notifications.models import Attempt, Delivery, Handoff, Message, Provider, State
from notifications.models.lease import LEASE_SECONDS, boottime
from notifications.queue.choices import cancel
from notifications.queue.claim import claim_next
from tests.delivery.two_providers import ask_first, closed_port, configure, deliver, smtp
from tests.factories import UserFactory, make_message
from tests.peers.actions import drop, reply
from tests.peers.http_peer import Answer, HttpPeer
from tests.peers.smtp_peer import SmtpPeer
from tests.stories import answered, deliveries_of, handed_over

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    """Where a test keeps its peers open."""
    with ExitStack() as stack:
        yield stack


def test_a_message_is_handed_over_once_and_recorded(settings: Settings, peers: ExitStack) -> None:
    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    message = make_message("reader@example.org", subject="Grüße", sender="App <app@example.com>")
    deliver()
    (envelope,) = peer.taken
    assert (envelope.sender, envelope.recipients) == ("app@example.com", ("reader@example.org",))
    assert envelope.message["Subject"] == "Grüße"
    assert envelope.message["Message-ID"] == message.header_message_id
    message.refresh_from_db()
    assert (message.state, message.lease_token, message.due_at) == (State.SENT, None, None)
    handoff = Handoff.objects.get()
    assert (envelope.handoff_id, handoff.outcome) == (str(handoff.id), "accepted")
    assert list(message.events.order_by("seq").values_list("kind", flat=True)) == [
        "sending",
        "sent",
    ]


def test_many_messages_share_their_commits(settings: Settings, peers: ExitStack) -> None:
    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    for _ in range(50):
        make_message()
    deliver()
    assert len(peer.taken) == 50
    assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}


def test_a_provider_that_refuses_connections_is_passed_over(
    settings: Settings, peers: ExitStack
) -> None:
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, f"smtp://127.0.0.1:{closed_port()}", smtp(second))
    message = make_message()
    deliver()
    assert len(second.taken) == 1
    outcomes = Handoff.objects.order_by("started_at", "id").values_list("outcome", "reading")
    assert list(outcomes) == [("not_accepted", "unreachable"), ("accepted", "sent")]
    message.refresh_from_db()
    assert message.state == State.SENT


@pytest.mark.parametrize("moment", ["greeting", "mail"])
def test_a_provider_that_answers_5xx_before_the_message_is_passed_over(
    settings: Settings, peers: ExitStack, moment: str
) -> None:
    first = peers.enter_context(SmtpPeer(on={moment: reply("554 5.3.2 not here")}))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, smtp(first), smtp(second))
    make_message()
    deliver()
    assert (len(first.taken), len(second.taken)) == (0, 1)


def test_a_message_that_is_refused_for_good_is_a_dead_letter_at_once(
    settings: Settings, peers: ExitStack
) -> None:
    first = peers.enter_context(SmtpPeer(on={"dot": reply("554 5.7.1 looks like spam")}))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, smtp(first), smtp(second))
    message = make_message()
    deliver()
    message.refresh_from_db()
    assert (message.state, second.taken) == (State.FAILED, [])
    assert Message.objects.dead_letters().get() == message
    assert "looks like spam" in Attempt.objects.get().answer


def test_a_provider_that_breaks_after_the_dot_leaves_it_uncertain_and_it_is_not_repeated(
    settings: Settings, peers: ExitStack
) -> None:
    first = peers.enter_context(SmtpPeer(on={"dot": drop()}))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, smtp(first), smtp(second))
    message = make_message()
    deliver()
    message.refresh_from_db()
    assert (message.state, message.due_at) == (State.UNCERTAIN, None)
    assert (len(first.taken), len(second.taken)) == (1, 0)
    assert claim_next() is None


def test_an_http_provider_that_answers_500_leaves_it_uncertain(
    settings: Settings, peers: ExitStack
) -> None:
    first = peers.enter_context(HttpPeer([Answer(status=500)]))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, f"anymail-postmark://KEY@/?api_url={first.url}", smtp(second))
    message = make_message()
    deliver()
    message.refresh_from_db()
    assert (message.state, second.taken) == (State.UNCERTAIN, [])


def test_an_http_provider_that_refuses_our_key_is_switched_off(
    settings: Settings, peers: ExitStack
) -> None:
    first = peers.enter_context(HttpPeer([Answer(status=401)]))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, f"anymail-postmark://KEY@/?api_url={first.url}", smtp(second))
    make_message()
    deliver()
    assert len(second.taken) == 1
    provider = Provider.objects.get(name="first")
    assert (provider.enabled, "401" in provider.fault) == (False, True)


def test_a_provider_that_is_out_of_quota_is_closed_as_long_as_it_asks(
    settings: Settings, peers: ExitStack
) -> None:
    answer = Answer(status=429, headers={"Retry-After": "600"})
    first = peers.enter_context(HttpPeer([answer]))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, f"anymail-postmark://KEY@/?api_url={first.url}", smtp(second))
    make_message()
    deliver()
    assert len(second.taken) == 1
    until = Provider.objects.get(name="first").closed_until
    assert until is not None
    assert timedelta(seconds=540) < until - timezone.now() <= timedelta(seconds=601)


def test_each_recipient_ends_as_the_provider_answers_for_it(
    settings: Settings, peers: ExitStack
) -> None:
    refusals = {"gone@example.org": "550 5.1.1 no such user", "full@example.org": "452 4.2.2 full"}
    peer = peers.enter_context(SmtpPeer(refuse=refusals))
    configure(settings, {"first": smtp(peer)})
    make_message("a@example.org", "gone@example.org", "full@example.org", "b@example.org")
    deliver()
    states = dict(Delivery.objects.values_list("address", "state"))
    assert states == {
        "a@example.org": State.SENT,
        "b@example.org": State.SENT,
        "gone@example.org": State.REJECTED,
        "full@example.org": State.PENDING,
    }
    (envelope,) = peer.taken
    assert envelope.recipients == ("a@example.org", "b@example.org")
    assert "full@example.org" in envelope.message["To"]


def test_a_message_stands_where_its_worst_recipient_does_whoever_ends_last(
    settings: Settings, peers: ExitStack
) -> None:
    refusals = {"gone@example.org": "550 5.1.1 no such user", "full@example.org": "452 4.2.2 full"}
    first = peers.enter_context(SmtpPeer(refuse=refusals))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, smtp(first), smtp(second))
    message = make_message("gone@example.org", "full@example.org")
    deliver()  # one is refused for good, and the other goes on to the second provider
    states = set(message.deliveries.values_list("address", "state"))
    assert states == {("gone@example.org", State.REJECTED), ("full@example.org", State.SENT)}
    message.refresh_from_db()
    assert message.state == State.REJECTED


def test_a_message_in_doubt_stays_so_while_its_other_recipient_is_sent_to(
    settings: Settings, peers: ExitStack
) -> None:
    message = make_message("doubtful@example.org", "waiting@example.org")
    doubtful, _ = deliveries_of(message)
    answered(handed_over(message, deliveries=[doubtful]), Reading.AMBIGUOUS)
    seen: list[str] = []

    class Watching(SmtpPeer):
        def converse(self, line: object) -> None:
            seen.append(Message.objects.get(id=message.id).state)
            connection.close()
            super().converse(line)  # type: ignore[arg-type]

    configure(settings, {"first": smtp(peers.enter_context(Watching()))})
    deliver()
    assert seen == [State.UNCERTAIN]


def test_when_every_provider_was_asked_the_message_waits_and_waits_longer(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(SmtpPeer(on={"mail": reply("451 4.3.0 later")}))
    configure(settings, {"first": smtp(peer)})
    message = make_message()
    deliver()
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.rounds, delivery.backoffs) == (State.PENDING, 1, 1)
    message.refresh_from_db()
    assert (message.due_at, message.lease_token) == (delivery.due_at, None)
    assert message.events.order_by("-seq")[0].data["reading"] == "temporary"


def test_a_round_in_which_nobody_could_be_asked_does_not_count(settings: Settings) -> None:
    settings.LIMBO_MAX_ROUNDS = 1
    configure(settings, {"first": f"smtp://127.0.0.1:{closed_port()}"})
    message = make_message()
    deliver()
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.rounds, delivery.backoffs) == (State.PENDING, 0, 1)


def test_after_the_last_round_it_is_a_dead_letter(settings: Settings, peers: ExitStack) -> None:
    settings.LIMBO_MAX_ROUNDS = 1
    peer = peers.enter_context(SmtpPeer(on={"mail": reply("451 4.3.0 later")}))
    configure(settings, {"first": smtp(peer)})
    message = make_message()
    deliver()
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.rounds) == (State.DEAD, 1)
    message.refresh_from_db()
    assert message.state == State.DEAD


def test_when_every_provider_refuses_the_sender_the_message_has_failed(
    settings: Settings, peers: ExitStack
) -> None:
    refuse = {"mail": reply("550 5.7.1 not your domain")}
    first = peers.enter_context(SmtpPeer(on=refuse))
    second = peers.enter_context(SmtpPeer(on=refuse))
    configure(settings, {"first": smtp(first), "second": smtp(second)})
    message = make_message()
    deliver()
    message.refresh_from_db()
    assert message.state == State.FAILED
    assert Handoff.objects.count() == 2


def test_without_a_usable_provider_the_message_waits(settings: Settings) -> None:
    configure(settings, {"first": "smtp://127.0.0.1:1"})
    Provider.objects.update(enabled=False)
    message = make_message()
    deliver()
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.backoffs) == (State.PENDING, 1)
    assert not Handoff.objects.exists()
    assert "no provider" in message.events.get().data["reason"]


def test_at_the_deadline_what_was_tried_is_dead_and_what_was_not_has_expired(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(SmtpPeer(on={"mail": reply("451 4.3.0 later")}))
    configure(settings, {"first": smtp(peer)})
    tried = make_message("a@example.org")
    deliver()
    untried = make_message("b@example.org")
    past = timezone.now() - timedelta(seconds=1)
    Message.objects.update(expires_at=past, due_at=past)
    Delivery.objects.update(due_at=past)
    deliver()
    states = dict(Message.objects.values_list("id", "state"))
    assert states == {tried.id: State.DEAD, untried.id: State.EXPIRED}


def test_a_message_that_is_cancelled_after_the_claim_is_not_sent(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    message = make_message()
    claim = claim_next()
    assert claim is not None
    assert cancel([message.id], by=UserFactory()).deliveries == 1
    deliver_batch(str(claim.token), [str(message.id)], claimed_at=boottime(), cluster="test")
    assert peer.taken == []


def test_a_worker_that_lost_its_lease_sends_nothing(settings: Settings, peers: ExitStack) -> None:
    peer = peers.enter_context(SmtpPeer())
    configure(settings, {"first": smtp(peer)})
    message = make_message()
    claim = claim_next()
    assert claim is not None
    Message.objects.update(lease_token=None, lease_until=None)
    assert claim_next() is not None
    deliver_batch(str(claim.token), [str(message.id)], claimed_at=boottime(), cluster="test")
    assert (peer.taken, Handoff.objects.count()) == ([], 0)


def test_what_is_sent_late_in_its_lease_has_all_of_it_again(
    settings: Settings, peers: ExitStack
) -> None:
    left: list[timedelta] = []

    class Watching(SmtpPeer):
        def converse(self, line: object) -> None:
            until, now = Message.objects.values_list("lease_until", Now()).get()
            left.append(until - now)
            connection.close()
            super().converse(line)  # type: ignore[arg-type]

    peer = peers.enter_context(Watching())
    configure(settings, {"first": smtp(peer)})
    message = make_message()
    claim = claim_next()
    assert claim is not None
    Message.objects.update(lease_until=Now() + timedelta(seconds=1))
    claimed_at = boottime() - LEASE_SECONDS + 1
    deliver_batch(str(claim.token), [str(message.id)], claimed_at=claimed_at, cluster="test")
    assert len(peer.taken) == len(left) == 1
    assert left[0] > timedelta(seconds=LEASE_SECONDS / 2)


def test_an_attempt_is_committed_before_the_first_byte_leaves(
    settings: Settings, peers: ExitStack
) -> None:
    """I3, seen from the provider: at its greeting the Attempt is already there."""
    seen: list[int] = []

    class Watching(SmtpPeer):
        def converse(self, line: object) -> None:
            seen.append(Attempt.objects.filter(outcome="in_flight").count())
            connection.close()
            super().converse(line)  # type: ignore[arg-type]

    peer = peers.enter_context(Watching())
    configure(settings, {"first": smtp(peer)})
    make_message()
    deliver()
    assert seen == [1]


def test_what_an_http_provider_cannot_send_alone_goes_through_an_smtp_one(
    settings: Settings, peers: ExitStack
) -> None:
    http = peers.enter_context(HttpPeer([]))
    second = peers.enter_context(SmtpPeer())
    ask_first(settings, f"anymail-postmark://KEY@/?api_url={http.url}", smtp(second))
    message = make_message("a@example.org", "b@example.org")
    first, _ = message.deliveries.order_by("position")
    from django.db import transaction

    from notifications.history.changes import change_deliveries, lock_messages

    with transaction.atomic():
        lock_messages([message.id])
        change_deliveries([Change(first.id, State.CANCELLED)], before=[State.PENDING])
    deliver()
    (envelope,) = second.taken
    assert envelope.recipients == ("b@example.org",)


@pytest.mark.parametrize("count", [1, 40])
def test_a_batch_costs_the_same_statements_however_many_its_messages(
    settings: Settings, peers: ExitStack, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # long enough for all to end within one flush
    monkeypatch.setattr("notifications.delivery.batch.FLUSH_SECONDS", 30)
    configure(settings, {"first": smtp(peers.enter_context(SmtpPeer()))})
    for _ in range(count):
        make_message()
    claim = claim_next()
    assert claim is not None
    ids = claim.message_ids
    with CaptureQueriesContext(connection) as queries:
        deliver_batch(str(claim.token), ids, claimed_at=boottime(), cluster="test")
    verbs = [query["sql"].split()[0] for query in queries.captured_queries]
    assert Message.objects.filter(state=State.SENT).count() == count
    assert verbs.count("COMMIT") == 2
    assert len(verbs) == 11, verbs
