"""A post that is not taken is tried again; an endpoint that takes nothing is left alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.history.positions import sequence_events
from notifications.models import User, WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.webhooks import outbound
from notifications.webhooks.claim import Claimed, claim_due
from notifications.webhooks.endpoints import create_endpoint, disable, enable
from notifications.webhooks.follower import follow_events
from notifications.webhooks.outbound import Answer as OutboundAnswer
from notifications.webhooks.record import RETRY_DELAYS, record_answer
from tests import stories
from tests.peers.actions import stall
from tests.peers.http_peer import Answer, HttpPeer
from tests.webhooks.conftest import Made, run, types, verified

ANN = "ann@example.org"
HOUR = timedelta(hours=1)


def make_due() -> None:
    """Let the time pass until every post is due and no endpoint is left alone."""
    past = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(state=WebhookState.PENDING).update(due_at=past)
    WebhookEndpoint.objects.filter(paused_until__isnull=False).update(paused_until=past)


def run_follower_only() -> None:
    """Queue what there is, and post nothing."""
    sequence_events()
    follow_events()


def claim_one() -> Claimed:
    """Claim the only post that is due."""
    (post,) = claim_due(under_way=[], limit=10)
    return post


def test_a_refused_post_is_tried_again_under_the_same_id(owner: User) -> None:
    with HttpPeer([Answer(500, "no"), Answer(302, headers={"Location": "/"}), None]) as peer:
        _, secret = create_endpoint(owner=owner, url=peer.url, kinds=[])
        stories.accepted(owner, ANN)
        for _ in range(3):
            run()
            make_due()
        run()
        assert len(peer.requests) == 3
        assert len({request.headers["webhook-id"] for request in peer.requests}) == 1
        payloads = [verified(request, secret) for request in peer.requests]
    assert payloads[0] == payloads[1] == payloads[2]
    post = WebhookDelivery.objects.get()
    assert (post.state, post.attempts, post.last_status) == (WebhookState.DELIVERED, 3, 200)
    assert WebhookEndpoint.objects.get().failing_since is None


def test_nothing_is_tried_before_its_time(owner: User) -> None:
    with HttpPeer(Answer(500)) as peer:
        create_endpoint(owner=owner, url=peer.url, kinds=[])
        stories.accepted(owner, ANN)
        run()
        run()
        assert len(peer.requests) == 1


def test_the_delays_are_those_of_standard_webhooks_and_end(endpoint: Made, owner: User) -> None:
    stories.accepted(owner, ANN)
    run_follower_only()
    for seconds in RETRY_DELAYS:
        make_due()
        record_answer(claim_one(), OutboundAnswer(503, "busy"))
        due_at = WebhookDelivery.objects.get().due_at
        assert due_at is not None
        wait = (due_at - timezone.now()).total_seconds()
        assert seconds - 2 <= wait <= seconds * 1.1
    make_due()
    record_answer(claim_one(), OutboundAnswer(503, "busy"))
    post = WebhookDelivery.objects.get()
    assert (post.state, post.attempts, post.due_at) == (WebhookState.FAILED, 10, None)
    assert sum(RETRY_DELAYS) == 75 * 3600 + 35 * 60 + 5


def test_retry_after_is_respected_within_reason(endpoint: Made, owner: User) -> None:
    stories.accepted(owner, ANN)
    run_follower_only()
    record_answer(claim_one(), OutboundAnswer(429, "", retry_after=600.0))
    post, row = WebhookDelivery.objects.get(), WebhookEndpoint.objects.get()
    assert post.due_at is not None
    assert row.paused_until is not None
    for at in (post.due_at, row.paused_until):
        assert timedelta(minutes=9) < at - timezone.now() < timedelta(minutes=11)
    make_due()
    record_answer(claim_one(), OutboundAnswer(503, "", retry_after=1e9))
    row.refresh_from_db()
    assert row.paused_until is not None
    assert row.paused_until - timezone.now() <= HOUR


def test_an_endpoint_that_is_gone_is_disabled_and_the_others_go_on(
    owner: User, taker: HttpPeer, endpoint: Made
) -> None:
    with HttpPeer(Answer(410, "gone")) as gone:
        dead, _ = create_endpoint(owner=owner, url=gone.url, kinds=[])
        stories.accepted(owner, ANN)
        run()
        stories.accepted(owner, ANN)
        run()
        assert len(gone.requests) == 1
    dead.refresh_from_db()
    assert not dead.enabled
    assert "410" in dead.disabled_reason
    assert types(taker) == ["message.accepted"] * 2
    assert dead.deliveries.get().state == WebhookState.FAILED


def test_an_endpoint_that_fails_for_days_is_disabled(endpoint: Made, owner: User) -> None:
    stories.accepted(owner, ANN)
    run_follower_only()
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
    record_answer(claim_one(), OutboundAnswer(500, ""))
    row = WebhookEndpoint.objects.get()
    assert not row.enabled
    assert "taken nothing since" in row.disabled_reason
    assert WebhookDelivery.objects.get().state == WebhookState.PENDING


def test_an_endpoint_that_is_enabled_again_gets_what_it_missed(
    owner: User, taker: HttpPeer, endpoint: Made
) -> None:
    disable(endpoint[0], reason="a test")
    stories.accepted(owner, ANN)
    run()
    assert taker.requests == []
    enable(endpoint[0])
    run()
    assert types(taker) == ["message.accepted"]


@pytest.mark.parametrize(
    ("failing_for", "pause"),
    [
        (timedelta(0), timedelta(seconds=5)),
        (timedelta(minutes=1), timedelta(minutes=1)),
        (HOUR, timedelta(minutes=5)),
    ],
)
def test_a_failing_endpoint_is_left_alone_the_longer_it_fails(
    endpoint: Made, owner: User, failing_for: timedelta, pause: timedelta
) -> None:
    stories.accepted(owner, ANN)
    run_follower_only()
    if failing_for:
        WebhookEndpoint.objects.update(failing_since=timezone.now() - failing_for)
    record_answer(claim_one(), OutboundAnswer(None, "ConnectError: refused"))
    row = WebhookEndpoint.objects.get()
    assert row.paused_until is not None
    assert abs(row.paused_until - timezone.now() - pause) < timedelta(seconds=3)
    WebhookDelivery.objects.update(due_at=timezone.now() - HOUR)
    assert claim_due(under_way=[], limit=10) == []


def test_a_try_whose_claim_ran_out_does_not_overwrite_a_later_one(
    endpoint: Made, owner: User
) -> None:
    stories.accepted(owner, ANN)
    run_follower_only()
    slow = claim_one()
    make_due()
    record_answer(claim_one(), OutboundAnswer(200, "taken"))
    record_answer(slow, OutboundAnswer(500, "too late"))
    post = WebhookDelivery.objects.get()
    assert (post.state, post.last_answer) == (WebhookState.DELIVERED, "taken")


def test_a_post_whose_event_is_gone_ends_without_blaming_its_endpoint(
    endpoint: Made, taker: HttpPeer
) -> None:
    WebhookDelivery.objects.create(endpoint=endpoint[0], event_id=10**12)
    run()
    assert WebhookDelivery.objects.get().state == WebhookState.FAILED
    assert WebhookEndpoint.objects.get().failing_since is None
    assert taker.requests == []


def test_endpoints_that_never_answer_hold_up_nobody_else(
    owner: User, taker: HttpPeer, endpoint: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "DEADLINE_SECONDS", 6.0)
    with HttpPeer(on_request=stall()) as silent:
        for _ in range(3):
            create_endpoint(owner=owner, url=silent.url, kinds=[])
        for _ in range(20):
            stories.accepted(owner, ANN)
        began = timezone.now()
        run()
        # each had four posts on its way when it was found to fail
        assert len(silent.requests) == 12
    taken = WebhookDelivery.objects.filter(endpoint=endpoint[0], state=WebhookState.DELIVERED)
    in_time = taken.filter(delivered_at__lt=began + timedelta(seconds=6))
    assert in_time.count() == len(taker.requests) == 20


def test_a_claim_leaves_places_for_every_endpoint(owner: User) -> None:
    for _ in range(3):
        create_endpoint(owner=owner, url="https://hooks.example.com/", kinds=[])
    for _ in range(10):
        stories.accepted(owner, ANN)
    run_follower_only()
    first = claim_due(under_way=[], limit=100)
    per_endpoint = [sum(post.endpoint_id == row.id for post in first) for row in endpoints()]
    assert per_endpoint == [4, 4, 4]
    assert claim_due(under_way=first, limit=100) == []
    second = claim_due(under_way=first[1:], limit=100)
    assert [post.endpoint_id for post in second] == [first[0].endpoint_id]


def endpoints() -> list[WebhookEndpoint]:
    """All endpoints."""
    return list(WebhookEndpoint.objects.order_by("id"))
