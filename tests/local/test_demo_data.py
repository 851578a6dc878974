"""The made-up month: it is consistent, shows on the real pages, and reaches nobody."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoDbBlocker

from limbo.local.demo_data.making import make
from limbo.local.demo_data.words import BUSINESSES, OLD_WORD
from limbo.local.errors import RunError
from notifications.history import roll_ups, search
from notifications.history.following import is_behind
from notifications.models import (
    Delivery,
    Event,
    Handoff,
    Message,
    RequestLog,
    RollUp,
    State,
    Suppression,
    User,
)
from notifications.queue.choices import requeue
from tests.admin.conftest import LIST, signed_in
from tests.faults import invariants
from tests.made_up import made_up_month

COUNT = 2000
RESERVED = r"@([a-z-]+\.)?example\.(com|net|org)$"

told: list[tuple[str, int, int]] = []


@pytest.fixture(scope="module", autouse=True)
def month(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The made-up messages, for all tests of this module: they take a few seconds."""
    with made_up_month(COUNT, django_db_blocker, tell=lambda *said: told.append(said)):
        yield


@pytest.fixture
def superuser(db: None) -> Client:
    """Staff who may see everything."""
    return signed_in(User.objects.create_superuser("root"))


def test_every_state_occurs(db: None) -> None:
    assert Message.objects.count() == COUNT
    assert set(Message.objects.values_list("state", flat=True)) == set(State)


def test_it_is_as_if_limbo_itself_had_written_it(db: None) -> None:
    assert invariants.history_faults() == []
    assert list(invariants._position_faults()) == []
    assert invariants._orphans() == []
    assert invariants._unchosen() == []


def test_what_a_message_derives_from_its_deliveries_is_derived(db: None) -> None:
    for message in Message.objects.prefetch_related("deliveries"):
        due = [one.due_at for one in message.deliveries.all() if one.due_at]
        assert message.due_at == min(due, default=None)
        assert (message.lease_until is not None) == (message.state == State.SENDING)


def test_nothing_in_it_lies_in_the_future(db: None) -> None:
    now = timezone.now()
    assert not Event.objects.filter(at__gt=now).exists()
    assert not Handoff.objects.filter(ended_at__gt=now).exists()
    days = {at.date() for at in Message.objects.values_list("accepted_at", flat=True)}
    assert len(days) in (30, 31)


def test_no_address_is_anybodys(db: None) -> None:
    assert not Delivery.objects.exclude(address__regex=RESERVED).exists()
    assert not Message.objects.exclude(sender_address__regex=RESERVED).exists()
    assert not Suppression.objects.exclude(address__regex=RESERVED).exists()


def test_what_is_open_is_for_a_provider_that_no_worker_has(db: None) -> None:
    waiting = Message.objects.filter(state__in=(State.PENDING, State.SCHEDULED, State.HELD))
    assert waiting.exists()
    assert not waiting.filter(failover=True).exists()
    assert set(waiting.values_list("preferred_provider", flat=True)) <= {"postmark", "ses", "relay"}


def test_roll_ups_search_and_the_request_log_know_all_of_it(db: None) -> None:
    assert not is_behind(roll_ups.NAME)
    assert not is_behind(search.NAME)
    accepted = RollUp.objects.filter(dimension="all", kind="accepted")
    assert accepted.aggregate(sum=Sum("count"))["sum"] == COUNT
    assert RequestLog.objects.filter(message_id__isnull=False).count() == COUNT


def test_the_database_holds_to_its_rules_again(db: None) -> None:
    settled = Delivery.objects.filter(state=State.DELIVERED)[0]
    with pytest.raises(IntegrityError, match="cannot go from delivered"), transaction.atomic():
        Delivery.objects.filter(pk=settled.pk).update(state=State.SENDING, finalized_at=None)


def test_limbo_goes_on_with_it(db: None) -> None:
    root = User.objects.create_superuser("root")
    failed = Message.objects.filter(state=State.FAILED)[0]
    assert requeue([failed.pk], by=root, reason="again").deliveries == failed.deliveries.count()
    assert invariants.history_faults() == []


@pytest.mark.parametrize("state", State)
def test_staff_see_what_became_of_each(superuser: Client, state: State) -> None:
    message = Message.objects.filter(state=state)[0]
    listed = superuser.get(LIST, {"state": state}).context["cl"].result_list
    assert message.pk in {row.pk for row in listed} or len(listed) == 50
    page = superuser.get(f"{LIST}{message.pk}/change/").content.decode()
    assert escape(message.subject) in page


def test_it_is_found_by_address_and_by_word(superuser: Client) -> None:
    delivery = Delivery.objects.all()[COUNT // 2]
    found = superuser.get(LIST, {"q": delivery.address}).context["cl"].result_list
    assert delivery.message_id in {row.pk for row in found}
    old = superuser.get(LIST, {"q": OLD_WORD}).context["cl"].result_list
    assert old
    assert all("Winterfest" in row.subject for row in old)


def test_its_users_see_their_own(client: Client, db: None) -> None:
    client.force_login(User.objects.get(username=BUSINESSES[0].username))
    page = client.get(reverse("web:messages")).content.decode()
    newest = Message.objects.filter(owner__username=BUSINESSES[0].username).latest("id")
    assert escape(newest.subject) in page


def test_it_says_how_far_it_is(db: None) -> None:
    for what in ("messages", "positions", roll_ups.NAME, search.NAME):
        (*_, (_, done, total)) = [said for said in told if said[0] == what]
        assert done == total > 0


def test_a_database_with_messages_is_left_alone_unless_it_is_said(db: None) -> None:
    with pytest.raises(RunError, match="holds messages already"):
        make(10, add=False, stays=True, tell=lambda *_: None)
    assert Message.objects.count() == COUNT
