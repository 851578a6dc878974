"""How providers fare, as their latest hand-offs tell it."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from notifications.delivery.reading import Reading
from notifications.history import provider_health
from notifications.history.provider_health import Health, provider_healths
from notifications.models import Handoff, Provider
from notifications.models.ids import first_id
from tests.factories import HandoffFactory, ProviderFactory, make_message
from tests.long_history import FEW, grow_history, rows_read
from tests.stories import answered, under_way

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


_numbers = iter(range(1, 100_000))


def handoff(provider: str, *, at: datetime, **fields: object) -> Handoff:
    """A hand-off that began at `at`."""
    ended = None if fields.get("outcome") == "in_flight" else at
    row: Handoff = HandoffFactory(
        id=UUID(int=first_id(at).int + next(_numbers)),
        provider=ProviderFactory(name=provider),
        started_at=at,
        ended_at=ended,
        message=make_message(),
        **fields,
    )
    return row


def health(provider: str, now: datetime) -> Health:
    of = provider_healths(now=now).of
    return of.get(Provider.objects.get(name=provider).pk, Health())


def test_ends_are_counted_for_each_provider_lately_and_within_the_hour(now: datetime) -> None:
    minute, half, day = (now - timedelta(minutes=m) for m in (1, 30, 1440))
    for at, outcome, reading in (
        (minute, "accepted", "sent"),
        (minute, "not_accepted", "unreachable"),
        (minute, "refused", "recipient_refused"),
        (half, "accepted", "sent"),
        (half, "uncertain", "ambiguous"),
        (day, "accepted", "sent"),
    ):
        handoff("first", at=at, outcome=outcome, reading=reading)
    handoff("second", at=minute, outcome="accepted", reading="sent")
    first = health("first", now)
    assert (first.lately.accepted, first.lately.not_accepted, first.lately.refused) == (1, 1, 1)
    assert (first.period.total, first.period.uncertain) == (5, 1)
    assert first.lately.error_share == pytest.approx(1 / 3)
    assert first.period.error_share == pytest.approx(2 / 5)
    assert health("second", now).lately.total == 1


def test_what_was_never_begun_is_no_errors_of_the_providers(now: datetime) -> None:
    for reading in ("not_begun", "closed"):
        handoff("first", at=now, outcome="not_accepted", reading=reading)
    assert health("first", now) == Health()


def test_what_is_under_way_is_counted_and_has_not_ended(now: datetime) -> None:
    under_way(make_message("a@example.org", "b@example.org"), to="first")
    under_way(make_message(), to="first")
    answered(under_way(make_message(), to="first"), Reading.AMBIGUOUS)
    found = health("first", now)
    assert (found.in_flight, found.lately.total) == (2, 1)
    assert health("first", now + timedelta(days=2)).in_flight == 2


def test_the_latest_failure_is_told_with_its_message(now: datetime) -> None:
    earlier = now - timedelta(minutes=2)
    handoff("first", at=earlier, outcome="not_accepted", reading="unreachable", answer="refused")
    late = handoff("first", at=now, outcome="not_accepted", reading="temporary", code=451)
    handoff("first", at=now, outcome="refused", reading="message_refused", code=554)
    failure = health("first", now).failure
    assert failure is not None
    assert (failure.message_id, failure.code) == (late.message_id, 451)


def test_it_looks_at_no_more_than_so_many_and_says_how_far_back_they_reach(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_health, "MOST", 2)
    for minutes in (1, 2, 3):
        at = now - timedelta(minutes=minutes)
        handoff("first", at=at, outcome="accepted", reading="sent")
    healths = provider_healths(now=now)
    assert healths.of[Provider.objects.get(name="first").pk].period.accepted == 2
    assert healths.lately == healths.period == timedelta(minutes=2)


def test_a_long_history_is_not_read(now: datetime) -> None:
    under_way(make_message())
    grow_history()
    assert rows_read(lambda: provider_healths(now=now)) < FEW
