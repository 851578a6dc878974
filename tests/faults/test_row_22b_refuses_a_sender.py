"""Row 22b: a provider refuses one user's domain."""

import pytest

from notifications.models import Attempt
from tests.factories import UserFactory
from tests.faults.row import Row
from tests.faults.steps import first_provider, http_beside_smtp
from tests.peers import Answer, HttpPeer, SmtpPeer
from tests.peers.http_peer import HttpRequest, postmark

_MESSAGES = 50


def refuse_a_domain(request: HttpRequest) -> Answer:
    """Take what comes from a domain that is verified."""
    is_known = "unknown.example" not in str(request.json["From"])
    return postmark(request) if is_known else Answer(403, '{"Message": "verify your domain"}')


@pytest.mark.quick
@pytest.mark.faults("22b", "one user's From domain is refused by provider A")
def test_that_users_go_through_the_other_and_it_stays_on_for_all_else(
    row: Row, sink: SmtpPeer
) -> None:
    with HttpPeer(speak=refuse_a_domain) as http:
        row.submit(_MESSAGES)
        theirs = row.submit(_MESSAGES, owner=UserFactory(), sender="they@unknown.example")
        with row.system(http_beside_smtp(http, sink)) as system:
            system.start_worker()
            row.drain()
            verdict = row.judge(http, sink)
    assert (verdict.handed_off, verdict.uncertain) == (2 * _MESSAGES, 0)
    provider = first_provider()
    assert (provider.enabled, provider.closed_until, provider.breaker_until) == (True, None, None)
    ways = Attempt.objects.filter(outcome="accepted").values_list(
        "handoff__message", "handoff__provider__name"
    )
    assert {name for id_, name in ways if id_ in set(theirs)} == {"second"}
    assert {name for id_, name in ways if id_ not in set(theirs)} == {"first", "second"}
