"""A hand-off in doubt is repeated only under its provider's own key, and only an acceptance
settles it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import Settings

from notifications.history.changes import Change, lock_messages
from notifications.history.outcomes import AttemptOutcome, HandoffOutcome, record_outcomes
from notifications.history.tracking import Report, apply_tracking_event
from notifications.models import Attempt, Delivery, Handoff, Message, Outcome, Provider, State
from tests.delivery.two_providers import configure, deliver, smtp
from tests.factories import make_message
from tests.peers.actions import drop
from tests.peers.http_peer import Answer, HttpPeer, resend
from tests.peers.smtp_peer import SmtpPeer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def peers() -> Iterator[ExitStack]:
    """Where a test keeps its peers open."""
    with ExitStack() as stack:
        yield stack


def doubtful(peers: ExitStack, settings: Settings, *then: Answer | None) -> HttpPeer:
    """Resend's API, which answers 500 to the first request, and then as told."""
    peer = peers.enter_context(HttpPeer([Answer(500), *then], speak=resend))
    configure(settings, {"resend": f"anymail-resend://KEY@/?api_url={peer.url}"})
    return peer


def repeat_now() -> None:
    """Let the wait for a repeat be over, and deliver."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(due_at__isnull=False).update(due_at=past)
    Message.objects.filter(due_at__isnull=False).update(due_at=past)
    deliver()


def test_a_repeat_that_is_accepted_settles_it_under_the_same_key_and_payload(
    settings: Settings, peers: ExitStack
) -> None:
    peer = doubtful(peers, settings)
    message = make_message("a@example.org", "b@example.org")
    deliver()
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    assert message.due_at is not None
    repeat_now()
    first, second = peer.requests
    key = str(Handoff.objects.get().id)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == key
    assert json.loads(first.body) == json.loads(second.body)
    assert Message.objects.filter(state=State.QUEUED, due_at__isnull=True).exists()
    handoff = Handoff.objects.get()
    assert (handoff.outcome, handoff.tries) == (Outcome.ACCEPTED, 2)
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {Outcome.ACCEPTED}


@pytest.mark.parametrize("refusal", [Answer(422), Answer(403), Answer(400)])
def test_a_repeat_that_is_refused_leaves_it_uncertain_and_is_tried_again(
    settings: Settings, peers: ExitStack, refusal: Answer
) -> None:
    peer = doubtful(peers, settings, refusal)
    message = make_message()
    deliver()
    repeat_now()
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    assert Handoff.objects.get().outcome == Outcome.UNCERTAIN
    repeat_now()
    message.refresh_from_db()
    assert message.state == State.QUEUED
    assert len(peer.requests) == 3


def test_a_report_about_one_recipient_leaves_the_repeat_to_settle_the_others(
    settings: Settings, peers: ExitStack
) -> None:
    peer = doubtful(peers, settings)
    message = make_message("a@example.org", "b@example.org")
    deliver()
    reported = Attempt.objects.select_related("delivery").order_by("pk")[0]
    apply_tracking_event(Report(reported, State.DELIVERED, "1", {}))
    repeat_now()
    states = message.deliveries.order_by("id").values_list("state", flat=True)
    assert list(states) == [State.DELIVERED, State.QUEUED]
    assert len(peer.requests) == 2


def test_a_provider_without_such_a_key_is_not_asked_again(
    settings: Settings, peers: ExitStack
) -> None:
    peer = peers.enter_context(SmtpPeer(on={"dot": drop()}))
    configure(settings, {"first": smtp(peer)})
    message = make_message()
    deliver()
    message.refresh_from_db()
    assert (message.state, message.due_at) == (State.UNCERTAIN, None)


@pytest.mark.parametrize("since", [timedelta(hours=25), timedelta(hours=24, minutes=-1)])
def test_when_the_provider_may_have_forgotten_the_key_nothing_is_repeated(
    settings: Settings, peers: ExitStack, since: timedelta
) -> None:
    peer = doubtful(peers, settings)
    message = make_message()
    deliver()
    Handoff.objects.update(started_at=Now() - since)
    repeat_now()
    message.refresh_from_db()
    assert (message.state, message.due_at) == (State.UNCERTAIN, None)
    assert len(peer.requests) == 1


def test_while_the_provider_is_off_its_repeats_wait(settings: Settings, peers: ExitStack) -> None:
    peer = doubtful(peers, settings)
    message = make_message()
    deliver()
    Provider.objects.update(enabled=False)
    repeat_now()
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    assert message.due_at is not None
    assert message.due_at > timezone.now()
    assert len(peer.requests) == 1


def test_a_repeat_never_goes_through_another_provider(settings: Settings, peers: ExitStack) -> None:
    other = peers.enter_context(SmtpPeer())
    peer = peers.enter_context(HttpPeer([Answer(500), Answer(429)], speak=resend))
    url = f"anymail-resend://KEY@/?api_url={peer.url}"
    configure(settings, {"resend": url})
    make_message()
    deliver()
    configure(settings, {"resend": url, "other": smtp(other)})
    repeat_now()
    assert len(peer.requests) == 2
    assert other.taken == []


def test_the_late_refusal_of_the_first_try_settles_nothing_once_it_was_repeated(
    settings: Settings, peers: ExitStack
) -> None:
    doubtful(peers, settings, Answer(500))
    message = make_message()
    deliver()
    repeat_now()
    attempt = Attempt.objects.get()
    late = AttemptOutcome(
        Change(attempt.delivery_id, State.FAILED), Outcome.REFUSED, "message_refused"
    )
    with transaction.atomic():
        lock_messages([message.id])
        record_outcomes([HandoffOutcome(attempt.handoff_id, message.id, [late])])
    message.refresh_from_db()
    assert message.state == State.UNCERTAIN
    assert Handoff.objects.get().outcome == Outcome.UNCERTAIN


def test_a_repeat_that_never_began_leaves_the_words_of_the_first_try(
    settings: Settings, peers: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = doubtful(peers, settings)
    make_message()
    deliver()
    first = Attempt.objects.get()
    # so that no lease is long enough to begin under
    monkeypatch.setattr("notifications.delivery.squad.HANDOFF_SECONDS", 3600)
    repeat_now()
    attempt, handoff = Attempt.objects.get(), Handoff.objects.get()
    assert len(peer.requests) == 1
    assert first.reading == attempt.reading == handoff.reading == "ambiguous"
    assert first.answer == attempt.answer == handoff.answer
    assert (first.code, attempt.code) == (500, 500)
