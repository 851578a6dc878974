"""A token that is limited opens nothing from another network, and sends as nobody else."""

from typing import Any

import pytest
from pytest_django import Settings

from notifications.intake.tokens import issue_token
from notifications.models import Message, RequestLog
from tests.api.conftest import SUBMISSION, Api
from tests.api.problems import problem_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def limited(db: None) -> Api:
    """An application whose token may be used from two networks."""
    owner = UserFactory()
    networks = ["192.0.2.0/24", "2001:db8::/32"]
    _, plain = issue_token(owner=owner, name="limited", allowed_networks=networks)
    return Api(owner, plain)


def submit_from(limited: Api, forwarded: str) -> Any:
    return limited.post(SUBMISSION, X_Forwarded_For=forwarded)


def test_a_request_from_another_network_is_refused_and_logged_for_its_owner(limited: Api) -> None:
    problem = problem_of(limited.post(), 403, "forbidden")
    assert problem["detail"] == "This token may not be used from 127.0.0.1."
    assert not Message.objects.exists()
    assert RequestLog.objects.get().owner == limited.owner
    problem_of(limited.get("/v1/nothing"), 403, "forbidden")


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("192.0.2.7", 200),
        ("2001:db8::7", 200),
        ("::ffff:192.0.2.7", 200),
        ("198.51.100.7", 403),
        ("192.0.2.7, 198.51.100.7", 403),
        ("nonsense", 403),
    ],
)
def test_behind_a_trusted_proxy_the_clients_own_address_counts(
    limited: Api, settings: Settings, forwarded: str, status: int
) -> None:
    settings.LIMBO_TRUSTED_PROXIES = 1
    assert submit_from(limited, forwarded).status_code == status


def test_without_a_trusted_proxy_what_the_client_claims_does_not_count(limited: Api) -> None:
    assert submit_from(limited, "192.0.2.7").status_code == 403


def test_a_token_that_is_limited_to_senders_sends_as_nobody_else(db: None) -> None:
    owner = UserFactory()
    _, plain = issue_token(owner=owner, name="limited", allowed_senders=["example.net"])
    limited = Api(owner, plain)
    problem = problem_of(
        limited.post({**SUBMISSION, "from": "app@example.com"}), 422, "impossible-request"
    )
    assert problem["errors"][0]["pointer"] == "#/from"
    assert not Message.objects.exists()
    assert limited.post({**SUBMISSION, "from": "app@example.net"}).status_code == 200
