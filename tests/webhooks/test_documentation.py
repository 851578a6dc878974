"""The reference page says what the code does."""

import json
from pathlib import Path

from django.conf import settings

from notifications.models import User
from notifications.webhooks.endpoints import EVENT_TYPES
from notifications.webhooks.outbound import DEADLINE_SECONDS
from notifications.webhooks.record import LONGEST_FAILURE, RETRY_DELAYS
from tests import stories
from tests.peers.http_peer import HttpPeer
from tests.webhooks.conftest import Made, run

PAGE = (Path(settings.BASE_DIR) / "docs/reference/webhooks.md").read_text()


def test_every_type_is_explained() -> None:
    assert [name for name in EVENT_TYPES.values() if f"`{name}`" not in PAGE] == []


def test_every_key_and_header_of_a_post_is_explained(
    owner: User, taker: HttpPeer, endpoint: Made
) -> None:
    stories.answered(stories.handed_over(stories.accepted(owner, "ann@example.org")))
    run()
    keys = {key for request in taker.requests for key in json.loads(request.body)["data"]}
    assert len(keys) >= 8
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []
    headers = [name for name in taker.requests[0].headers if name.startswith("webhook-")]
    assert [name for name in headers if f"\n    {name}: " not in PAGE] == []


def test_the_times_are_those_of_the_code() -> None:
    assert f"within {DEADLINE_SECONDS:.0f} seconds" in PAGE
    assert LONGEST_FAILURE.days == 5
    minutes, hour = 60, 3600
    assert (
        5,
        5 * minutes,
        30 * minutes,
        *(hours * hour for hours in (2, 5, 10, 14, 20, 24)),
    ) == RETRY_DELAYS
    said = " ".join(PAGE.split())
    assert "after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in said
