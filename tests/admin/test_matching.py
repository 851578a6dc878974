"""All messages that a list has, told from its address: what bulk actions work on."""

import pytest
from django.test import Client

from notifications.admin import paging
from notifications.admin.matching import matching_messages
from notifications.delivery.reading import Reading
from notifications.models import User
from tests.admin.conftest import LIST
from tests.stories import accepted, answered, handed_over


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"refused", "sent", "waiting"}),
        ({"state": "dead-letters"}, {"refused"}),
        ({"state": "sent", "p": "7"}, {"sent"}),
        ({"provider": "second"}, {"sent"}),
        ({"owner": "club"}, {"waiting"}),
        ({"owner": "nobody"}, set()),
        ({"accepted": "hour", "owner": "shop"}, {"refused", "sent"}),
        ({"q": "ada@example.org"}, {"refused", "sent"}),
        ({"q": "ada@example.org", "state": "sent"}, {"sent"}),
        ({"q": "nobody@example.org"}, set()),
        ({"q": " "}, {"refused", "sent", "waiting"}),
    ],
)
def test_it_has_what_the_list_shows_for_the_same_address(
    viewer: Client, owner: User, parameters: dict[str, str], expected: set[str]
) -> None:
    refused = accepted(owner, "ada@example.org", subject="refused")
    answered(handed_over(refused, to="first"), Reading.MESSAGE_REFUSED, code=554)
    answered(handed_over(accepted(owner, "ada@example.org", subject="sent"), to="second"))
    accepted(User.objects.create_user("club"), "bob@example.org", subject="waiting")
    assert set(matching_messages(parameters).values_list("subject", flat=True)) == expected
    shown = viewer.get(LIST, parameters | {"p": "1"}).context["cl"].result_list
    assert {row.subject for row in shown} == expected


def test_it_goes_beyond_what_can_be_paged_through(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "CAP", 2)
    for _ in range(5):
        accepted(owner, "ada@example.org")
    assert matching_messages({"q": "ada@example.org"}).count() == 5
