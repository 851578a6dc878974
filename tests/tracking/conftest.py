"""Providers that report, and a message that the first of them has."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from notifications.delivery.reading import Reading
from notifications.history.in_flight import Planned
from notifications.models import Delivery, Event, Message
from tests import stories
from tests.factories import UserFactory
from tests.tracking.payloads import SECRET, SIGNING_KEY


@pytest.fixture(autouse=True)
def reporting(settings: Settings, db: None) -> None:
    """Postmark and Amazon SES, protected by the shared secret, and Mailgun, which signs."""
    settings.LIMBO_PROVIDERS = (
        "pm=anymail-postmark://TOKEN@/,mg=anymail-mailgun://KEY@/,"
        "ses=anymail-amazon-ses://KEY:SECRET@/?region=eu-west-1"
    )
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET], "MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}


@pytest.fixture
def message() -> Message:
    """A message to two readers that waits for its turn."""
    return stories.accepted(UserFactory(), "ann@example.org", "bob@example.org")


@pytest.fixture
def in_flight(message: Message) -> Planned:
    """Its hand-off, whose answer nobody has recorded."""
    return stories.handed_over(message, to="pm")


@pytest.fixture
def taken(in_flight: Planned) -> Planned:
    """Its hand-off, after the provider took it."""
    stories.answered(in_flight, Reading.QUEUED, code=200, answer="")
    return in_flight


StateOf = Callable[[str], str]


@pytest.fixture
def state_of(message: Message) -> StateOf:
    """Where the delivery to an address stands."""
    return lambda address: Delivery.objects.get(message=message, address=address).state


Reports = Callable[[], list[Any]]


@pytest.fixture
def reports(message: Message) -> Reports:
    """The events that came from a provider's report, as (kind, applied), in order."""

    def read() -> list[Any]:
        events = Event.objects.filter(message=message, data__source="tracking").order_by("seq")
        return list(events.values_list("kind", "applied"))

    return read


def unknown_id() -> UUID:
    """The id of no hand-off."""
    return UUID("01900000-0000-7000-8000-000000000000")
