"""Events are posted to their owner's endpoints, signed, and tell what the owner may know."""

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from notifications.delivery.reading import Reading
from notifications.history.changes import add_event
from notifications.models import Delivery, Message, State, User, WebhookDelivery, WebhookState
from notifications.webhooks.endpoints import create_endpoint
from tests import stories
from tests.factories import UserFactory
from tests.peers.http_peer import HttpPeer
from tests.webhooks.conftest import Made, run, types, verified

ANN = "ann@example.org"


def test_each_step_arrives_signed_and_once(owner: User, taker: HttpPeer, endpoint: Made) -> None:
    message = stories.accepted(owner, ANN)
    stories.answered(stories.handed_over(message), Reading.SENT)
    run()
    run()
    received = [verified(request, endpoint[1]) for request in taker.requests]
    assert sorted(payload["data"]["seq"] for payload in received) == [1, 2, 3]
    assert {payload["type"] for payload in received} == {
        "message.accepted",
        "delivery.sending",
        "delivery.sent",
    }
    assert len({request.headers["webhook-id"] for request in taker.requests}) == 3
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {WebhookState.DELIVERED}


def test_a_payload_says_what_happened_to_whom(owner: User, taker: HttpPeer, endpoint: Made) -> None:
    message = stories.accepted(owner, ANN)
    stories.answered(stories.handed_over(message, to="relay"), Reading.RECIPIENT_REFUSED, code=550)
    run()
    (request,) = [r for r in taker.requests if r.json["type"] == "delivery.rejected"]
    payload = verified(request, endpoint[1])
    delivery = Delivery.objects.get(message=message)
    assert payload["timestamp"].endswith("Z")
    assert payload["data"] == {
        "message_id": str(message.id),
        "seq": 3,
        "kind": "rejected",
        "delivery_id": str(delivery.id),
        "recipient": ANN,
        "recipient_kind": "to",
        "provider": "relay",
        "code": 550,
        "answer": "2.0.0 OK",
    }
    assert (request.method, request.path) == ("POST", "/hook")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{taker.port}"


def test_what_a_test_token_submitted_is_marked(
    owner: User, taker: HttpPeer, endpoint: Made
) -> None:
    test = stories.accepted(owner, ANN)
    stories.accepted(owner, ANN)
    Message.objects.filter(id=test.id).update(is_test=True)
    run()
    marks = [verified(request, endpoint[1])["data"].get("test") for request in taker.requests]
    assert sorted(marks, key=str) == [None, True]


def test_no_post_holds_subject_body_or_the_names_of_staff(
    owner: User, taker: HttpPeer, endpoint: Made
) -> None:
    message = stories.accepted(owner, ANN, subject="A secret matter", text="Very secret words")
    (delivery,) = stories.deliveries_of(message)
    stories.moved(delivery, State.CANCELLED, by="mallory-of-support")
    run()
    everything = b"".join(request.body for request in taker.requests)
    assert types(taker).count("delivery.cancelled") == 1
    for word in (b"secret", b"mallory"):
        assert word not in everything


def test_a_changed_body_does_not_verify(owner: User, taker: HttpPeer, endpoint: Made) -> None:
    stories.accepted(owner, ANN)
    run()
    (request,) = taker.requests
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint[1]).verify(request.body + b" ", request.headers)


def test_events_of_another_owner_never_go_out(taker: HttpPeer, endpoint: Made) -> None:
    stranger = UserFactory()
    stories.answered(stories.handed_over(stories.accepted(stranger, ANN)))
    run()
    assert taker.requests == []
    assert not WebhookDelivery.objects.exists()
    endpoint[0].refresh_from_db()
    assert endpoint[0].position == 3, "they are passed over, not left for later"


def test_each_owner_gets_their_own_alone(owner: User, taker: HttpPeer, endpoint: Made) -> None:
    other = UserFactory()
    with HttpPeer() as theirs:
        _, their_secret = create_endpoint(owner=other, url=theirs.url, kinds=[])
        mine = stories.accepted(owner, ANN)
        yours = stories.accepted(other, ANN)
        run()
        (to_me,), (to_you,) = taker.requests, theirs.requests
    assert verified(to_me, endpoint[1])["data"]["message_id"] == str(mine.id)
    assert verified(to_you, their_secret)["data"]["message_id"] == str(yours.id)


def test_only_the_wanted_kinds_are_posted(owner: User, taker: HttpPeer) -> None:
    create_endpoint(owner=owner, url=taker.url, kinds=["sent", "bounced"])
    stories.answered(stories.handed_over(stories.accepted(owner, ANN)))
    run()
    assert types(taker) == ["delivery.sent"]


def test_what_changed_nothing_is_not_told(owner: User, taker: HttpPeer, endpoint: Made) -> None:
    message = stories.accepted(owner, ANN)
    (delivery,) = stories.deliveries_of(message)
    add_event(
        message_id=message.id, delivery_id=delivery.id, kind="delivered", data={}, applied=False
    )
    run()
    assert types(taker) == ["message.accepted"]


def test_a_new_endpoint_gets_nothing_of_the_past(owner: User, taker: HttpPeer) -> None:
    stories.accepted(owner, ANN)
    run()
    create_endpoint(owner=owner, url=taker.url, kinds=[])
    run()
    assert taker.requests == []


def test_two_endpoints_of_one_owner_get_a_post_each(
    owner: User, taker: HttpPeer, endpoint: Made
) -> None:
    with HttpPeer() as second:
        create_endpoint(owner=owner, url=second.url, kinds=[])
        stories.accepted(owner, ANN)
        run()
        assert (types(taker), types(second)) == (["message.accepted"], ["message.accepted"])
