"""A test token: what it submits walks the whole path and reaches nobody."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from notifications.delivery.transports.sandbox import DOMAIN, SCRIPTS
from notifications.intake.tokens import issue_token
from notifications.models import Handoff, Message, Provider, Scope, State, Suppression
from tests.api.conftest import SUBMISSION, Api
from tests.api.problems import problem_of
from tests.delivery.two_providers import configure, deliver, smtp
from tests.factories import UserFactory
from tests.peers.smtp_peer import SmtpPeer

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = {
    "delivered": ["accepted", "sending", "sent", "delivered"],
    "deferred": ["accepted", "sending", "sent", "deferred"],
    "bounced": ["accepted", "sending", "sent", "bounced"],
    "complained": ["accepted", "sending", "sent", "delivered", "complained"],
    "rejected": ["accepted", "sending", "rejected"],
    "failed": ["accepted", "sending", "failed"],
    "uncertain": ["accepted", "sending", "uncertain"],
}
"""What each of the magic addresses makes happen, step by step."""


@pytest.fixture
def peer(settings: Settings) -> Iterator[SmtpPeer]:
    """The one provider that is configured; it takes everything."""
    with SmtpPeer() as peer:
        configure(settings, {"first": smtp(peer)})
        yield peer


@pytest.fixture
def tester() -> Api:
    """An application that has a test token."""
    owner = UserFactory()
    _, plain = issue_token(owner=owner, name="ci", scopes=list(Scope), is_test=True)
    return Api(owner, plain)


def submitted(api: Api, **fields: Any) -> str:
    """The address of a message that was stored."""
    answer = api.post({**SUBMISSION, **fields})
    assert answer.status_code == 200, answer.content
    return str(json.loads(answer.content)["url"])


def read(api: Api, url: str) -> dict[str, Any]:
    """A message as its owner reads it."""
    told: dict[str, Any] = json.loads(api.get(url).content)
    return told


def test_every_magic_address_has_its_ends_told() -> None:
    assert ENDS.keys() == SCRIPTS.keys()


@pytest.mark.parametrize(("name", "kinds"), ENDS.items())
def test_a_magic_address_chooses_what_happens(
    peer: SmtpPeer, tester: Api, name: str, kinds: list[str]
) -> None:
    url = submitted(tester, to=[f"{name}+order-17@{DOMAIN}"])
    deliver()
    told = read(tester, url)
    assert (told["test"], told["state"]) == (True, kinds[-1])
    assert [event["kind"] for event in told["events"]] == kinds
    (attempt,) = told["deliveries"][0]["attempts"]
    assert attempt["provider"] == "sandbox"
    assert attempt["answer"]
    assert not peer.taken


def test_to_any_other_address_it_is_delivered_and_nobody_gets_it(
    peer: SmtpPeer, tester: Api
) -> None:
    url = submitted(tester, to=["ada@example.org", f"bounced@{DOMAIN}"], provider="first")
    deliver()
    told = read(tester, url)
    assert [d["state"] for d in told["deliveries"]] == ["delivered", "bounced"]
    assert not peer.taken


def test_tests_and_mail_in_one_batch_go_their_own_ways(peer: SmtpPeer, tester: Api) -> None:
    _, plain = issue_token(owner=tester.owner, name="live", scopes=list(Scope))
    live = Api(tester.owner, plain)
    for number in range(5):
        submitted(tester, to=[f"test-{number}@example.org"])
        submitted(live, to=[f"real-{number}@example.org"])
    deliver()
    reached = sorted(address for envelope in peer.taken for address in envelope.recipients)
    assert reached == [f"real-{number}@example.org" for number in range(5)]
    ways = Handoff.objects.values_list("message__is_test", "provider__name").distinct()
    assert set(ways) == {(True, "sandbox"), (False, "first")}


def test_it_goes_into_the_sandbox_while_no_provider_works(settings: Settings, tester: Api) -> None:
    configure(settings, {"first": "smtp://127.0.0.1:1"})
    Provider.objects.update(enabled=False)
    url = submitted(tester)
    deliver()
    assert read(tester, url)["state"] == "delivered"


def test_its_doubts_and_bounces_have_no_consequences(peer: SmtpPeer, tester: Api) -> None:
    for name in ("uncertain", "bounced", "complained"):
        for _ in range(6):
            submitted(tester, to=[f"{name}@{DOMAIN}"])
    deliver()
    assert not Suppression.objects.exists()
    sandbox = Provider.objects.get(name="sandbox")
    assert (sandbox.failures, sandbox.breaker_until) == (0, None)
    # and so it still takes what comes
    url = submitted(tester)
    deliver()
    assert read(tester, url)["state"] == "delivered"


def test_a_batch_of_a_test_token_is_for_the_sandbox(peer: SmtpPeer, tester: Api) -> None:
    messages = [SUBMISSION, {**SUBMISSION, "to": [f"bounced@{DOMAIN}"]}]
    answer = tester.post({"messages": messages}, path="/v1/mail/batch")
    assert answer.status_code == 200
    deliver()
    states = Message.objects.order_by("id").values_list("state", "is_test")
    assert list(states) == [(State.DELIVERED, True), (State.BOUNCED, True)]
    assert not peer.taken


def test_a_key_that_was_used_for_mail_is_not_used_for_a_test(tester: Api) -> None:
    _, plain = issue_token(owner=tester.owner, name="live", scopes=list(Scope))
    live = Api(tester.owner, plain)
    batch = {"messages": [SUBMISSION]}
    assert live.post(SUBMISSION, idempotency_key="one").status_code == 200
    assert live.post(batch, path="/v1/mail/batch", idempotency_key="two").status_code == 200
    problem_of(tester.post(SUBMISSION, idempotency_key="one"), 409, "idempotency-conflict")
    answer = tester.post(batch, path="/v1/mail/batch", idempotency_key="two")
    problem_of(answer, 409, "idempotency-conflict")


def test_nobody_else_can_name_the_sandbox(peer: SmtpPeer, tester: Api) -> None:
    submitted(tester)
    deliver()
    _, plain = issue_token(owner=tester.owner, name="live", scopes=list(Scope))
    answer = Api(tester.owner, plain).post({**SUBMISSION, "provider": "sandbox"})
    assert problem_of(answer, 422, "impossible-request")["errors"][0]["pointer"] == "#/provider"
