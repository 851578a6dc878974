"""The providers' pages: how each fares, and what staff do about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.admin.filters import READINGS_IN_WORDS
from notifications.admin.provider_choices import TEST_TAG
from notifications.delivery.doubt import WORKER_LOST
from notifications.models import Delivery, Message, Provider, RoleKey, SendingLimit, State, User
from tests.admin.conftest import make_member, signed_in
from tests.factories import HandoffFactory, SuppressionFactory, make_message
from tests.stories import answered, handed_over, under_way

PROVIDERS = "/admin/notifications/provider/"


@pytest.fixture
def provider(db: None) -> Provider:
    Provider.objects.get_or_create(name="second")
    return Provider.objects.get_or_create(name="first")[0]


def page_of(client: Client, provider: Provider, query: str = "") -> str:
    url = reverse("admin:notifications_provider_change", args=[provider.pk])
    return client.get(f"{url}{query}").content.decode()


def choose(client: Client, provider: Provider, choice: str, **fields: Any) -> Any:
    """Post a choice with its reason, and follow to the page it leads to."""
    url = reverse("admin:notifications_provider_choose", args=[provider.pk])
    form = {"why": "They asked for it", "choice": choice, **fields}
    return client.post(url, form, follow=True)


def said() -> list[str]:
    """What the log of staff's actions says, newest first."""
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("-id")]


# -- switches ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "before", "after", "told"),
    [
        ("disable", {}, (False, False, ""), "Disabled."),
        ("drain", {}, (True, True, ""), "Draining."),
        ("disable", {"is_draining": True}, (False, False, ""), "Disabled."),
        ("enable", {"is_draining": True}, (True, False, ""), "Enabled."),
        ("enable", {"enabled": False, "fault": "535 no"}, (True, False, ""), "Enabled."),
    ],
)
def test_a_switch_is_done_and_logged_with_who_and_why(
    operator: Client,
    provider: Provider,
    choice: str,
    before: dict[str, Any],
    after: tuple[bool, bool, str],
    told: str,
) -> None:
    Provider.objects.filter(pk=provider.pk).update(**before)
    answer = choose(operator, provider, choice)
    assert told in answer.content.decode()
    provider.refresh_from_db()
    assert (provider.enabled, provider.is_draining, provider.fault) == after
    entry = LogEntry.objects.get()
    assert entry.user.get_username() == "operator"
    assert entry.object_id == str(provider.pk)
    assert entry.get_change_message() == f"{told} Reason: They asked for it"


@pytest.mark.parametrize("choice", ["disable", "drain", "weigh", "test"])
def test_nothing_is_done_without_a_reason(
    operator: Client, provider: Provider, choice: str
) -> None:
    fields = {"weight": 5, "to": "ada@example.org", "sender": "ops@example.com", "why": " "}
    page = choose(operator, provider, choice, **fields).content.decode()
    assert "This field is required." in page
    provider.refresh_from_db()
    assert (provider.enabled, provider.is_draining, provider.weight) == (True, False, 1)
    assert said() == []
    assert not Message.objects.exists()


def test_a_provider_whose_breaker_is_open_is_used_again(
    operator: Client, provider: Provider
) -> None:
    later = timezone.now() + timedelta(hours=1)
    assert "Use again now" not in page_of(operator, provider)
    Provider.objects.update(breaker_until=later, closed_until=later, breaker_reason="it failed")
    assert "Use again now" in page_of(operator, provider)
    choose(operator, provider, "use_again")
    provider.refresh_from_db()
    assert (provider.breaker_until, provider.closed_until) == (None, None)
    assert said() == ["Used again now. Reason: They asked for it"]
    again = choose(operator, provider, "use_again").content.decode()
    assert "Nothing was changed" in again
    assert len(said()) == 1


def test_a_fault_noted_while_the_page_was_open_is_not_overwritten(
    operator: Client, provider: Provider
) -> None:
    page_of(operator, provider)
    Provider.objects.filter(pk=provider.pk).update(fault="535 bad credentials", enabled=False)
    choose(operator, provider, "weigh", weight="3")
    provider.refresh_from_db()
    assert (provider.weight, provider.fault) == (3, "535 bad credentials")


@pytest.mark.parametrize("weight", ["0", "-1", "1001", "many", ""])
def test_an_impossible_weight_is_refused(operator: Client, provider: Provider, weight: str) -> None:
    answer = choose(operator, provider, "weigh", weight=weight)
    assert answer.context["weight_form"].errors
    provider.refresh_from_db()
    assert provider.weight == 1


def test_a_weight_is_shown_as_a_share(operator: Client, provider: Provider) -> None:
    choose(operator, provider, "weigh", weight="3")
    assert said() == ["Weight 1 → 3. Reason: They asked for it"]
    assert "which is 75% of the new hand-offs" in page_of(operator, provider)
    choose(operator, Provider.objects.get(name="second"), "drain")
    assert "which is 100% of the new hand-offs" in page_of(operator, provider)


def test_an_unknown_choice_does_nothing(operator: Client, provider: Provider) -> None:
    assert "Choose what is to be done." in choose(operator, provider, "explode").content.decode()
    assert said() == []


def test_viewer_and_support_see_it_and_find_nothing_to_press(
    viewer: Client, support: Client, provider: Provider
) -> None:
    for client in (viewer, support):
        page = page_of(client, provider)
        assert "in use" in page
        assert "Switch it" not in page
        assert choose(client, provider, "disable").status_code == 403
    provider.refresh_from_db()
    assert provider.enabled


def test_nobody_adds_renames_or_removes_a_provider_here(
    superuser: Client, provider: Provider
) -> None:
    assert superuser.get(reverse("admin:notifications_provider_add")).status_code == 403
    delete = reverse("admin:notifications_provider_delete", args=[provider.pk])
    assert superuser.post(delete, {"post": "yes"}).status_code == 403
    change = reverse("admin:notifications_provider_change", args=[provider.pk])
    assert superuser.post(change, {"name": "other"}).status_code == 403
    provider.refresh_from_db()
    assert provider.name == "first"


def test_one_that_is_not_configured_any_more_is_shown_without_switches(
    operator: Client, provider: Provider
) -> None:
    former = Provider.objects.create(name="former")
    page = page_of(operator, former)
    assert "not configured" in page
    assert "Switch it" not in page
    assert "enable it first" in page


def test_the_sandbox_is_no_provider_of_these_pages(operator: Client, provider: Provider) -> None:
    sandbox = Provider.objects.get_or_create(name="sandbox")[0]
    assert "sandbox" not in operator.get(PROVIDERS).content.decode()
    live = reverse("admin:notifications_provider_live", args=[sandbox.pk])
    assert operator.get(live).status_code == 404
    assert choose(operator, sandbox, "disable").status_code == 404


# -- how they fare -----------------------------------------------------------------------------


def board(client: Client) -> dict[str, Any]:
    """The cards of the board, by the provider's name."""
    shown = client.get(f"{PROVIDERS}board/").context["cards"]
    return {card.provider.name: card for card in shown}


def test_the_board_tells_rates_errors_and_what_is_under_way(
    viewer: Client, provider: Provider
) -> None:
    for _ in range(9):
        answered(handed_over(make_message(), to="first"))
    now = timezone.now()
    failed = make_message()
    HandoffFactory(
        message=failed,
        provider=provider,
        outcome="not_accepted",
        reading="unreachable",
        answer="<b>refused</b>",
        ended_at=now,
    )
    under_way(make_message(), to="first")
    card = board(viewer)["first"]
    assert (card.in_flight, card.period.total, card.lately.rate) == (1, "10", "2.0")
    assert (card.lately.errors, card.lately.is_bad) == ("10.0%", True)
    assert card.lately.parts == "9 accepted, 1 not accepted"
    page = page_of(viewer, provider)
    assert "provider not reached" in page
    assert "&lt;b&gt;refused&lt;/b&gt;" in page
    assert reverse("admin:notifications_message_change", args=[failed.pk]) in page
    assert board(viewer)["second"].period.errors == ""


@pytest.mark.parametrize("reading", [*READINGS_IN_WORDS, "one of a later version"])
def test_the_latest_error_is_told_whatever_it_was(
    viewer: Client, provider: Provider, reading: str
) -> None:
    now = timezone.now()
    HandoffFactory(provider=provider, outcome="uncertain", reading=reading, ended_at=now)
    assert READINGS_IN_WORDS.get(reading, reading) in page_of(viewer, provider)
    assert board(viewer)["first"].failure


def test_what_a_lost_worker_left_is_told(viewer: Client, provider: Provider) -> None:
    now = timezone.now()
    HandoffFactory(provider=provider, outcome="uncertain", reading=WORKER_LOST, ended_at=now)
    assert "worker ended before the answer" in page_of(viewer, provider)


def test_one_error_among_few_is_no_alarm(viewer: Client, provider: Provider) -> None:
    HandoffFactory(
        provider=provider, outcome="not_accepted", reading="temporary", ended_at=timezone.now()
    )
    card = board(viewer)["first"]
    assert (card.lately.errors, card.lately.is_bad) == ("100.0%", False)


def test_what_is_left_of_a_draining_provider_is_counted_down(
    viewer: Client, provider: Provider
) -> None:
    Provider.objects.filter(pk=provider.pk).update(is_draining=True)
    left = under_way(make_message(), to="first")
    card = board(viewer)["first"]
    assert (card.words, card.share, card.in_flight) == ("drains", "", 1)
    assert "1 left" in page_of(viewer, provider)
    answered(left)
    assert "it has drained" in page_of(viewer, provider)


def test_the_board_costs_the_same_however_many_providers_there_are(
    viewer: Client, provider: Provider, django_assert_num_queries: Any
) -> None:
    viewer.get(f"{PROVIDERS}board/")
    Provider.objects.bulk_create(Provider(name=f"more-{number}") for number in range(5))
    # session, user, two of permissions, providers, and three for how they fare
    with django_assert_num_queries(8):
        viewer.get(f"{PROVIDERS}board/")


# -- a test message ----------------------------------------------------------------------------


def test_a_test_message_is_a_real_one_of_the_staffs_own_pinned_to_the_provider(
    provider: Provider,
) -> None:
    user = make_member(RoleKey.OPERATOR)
    answer = choose(
        signed_in(user), provider, "test", to="Ada <ada@example.org>", sender="ops@example.com"
    )
    message = Message.objects.get()
    assert (message.owner, message.preferred_provider, message.failover) == (user, "first", False)
    assert (message.sender, message.tags) == ("ops@example.com", [TEST_TAG])
    assert message.expires_at < timezone.now() + timedelta(hours=2)
    assert Delivery.objects.get().address == "ada@example.org"
    assert said() == [
        f"Sent a test message to Ada <ada@example.org>: {message.pk}. Reason: They asked for it"
    ]
    page = answer.content.decode()
    assert reverse("admin:notifications_message_change", args=[message.pk]) in page
    assert State.PENDING.label in page


def test_the_page_tells_what_came_of_the_test_message(provider: Provider) -> None:
    client = signed_in(make_member(RoleKey.OPERATOR))
    choose(client, provider, "test", to="ada@example.org", sender="ops@example.com")
    message = Message.objects.get()
    answered(handed_over(message), code=250, answer="2.0.0 <i>queued</i>")
    live = reverse("admin:notifications_provider_live", args=[provider.pk])
    part = client.get(live, {"test": str(message.pk)}).content.decode()
    assert State.SENT.label in part
    assert "250 2.0.0 &lt;i&gt;queued&lt;/i&gt;" in part


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"to": "nobody"}, "to"),
        ({"sender": "nobody"}, "sender"),
        ({"to": "a@example.org, b@example.org"}, "to"),
        ({"sender": "x@example.com\r\nBcc: all@example.org"}, "sender"),
    ],
)
def test_an_impossible_test_message_is_not_sent_and_says_why(
    operator: Client, provider: Provider, fields: dict[str, str], told: str
) -> None:
    usual = {"to": "ada@example.org", "sender": "ops@example.com"}
    answer = choose(operator, provider, "test", **(usual | fields))
    assert set(answer.context["test_form"].errors) == {told}
    assert not Message.objects.exists()
    assert said() == []


@pytest.mark.parametrize(
    "off", [{"enabled": False}, {"is_draining": True}, {"fault": "535 bad credentials"}]
)
def test_what_takes_nothing_new_is_not_tested(
    operator: Client, provider: Provider, off: dict[str, Any]
) -> None:
    Provider.objects.filter(pk=provider.pk).update(**off)
    page = choose(operator, provider, "test", to="ada@example.org", sender="ops@example.com")
    assert "enable it first" in page.content.decode()
    assert not Message.objects.exists()


def test_a_test_message_counts_for_the_senders_own_limit(provider: Provider) -> None:
    user = make_member(RoleKey.OPERATOR)
    SendingLimit.objects.create(owner=user, messages_per_day=1)
    client = signed_in(user)
    for _ in range(2):
        page = choose(client, provider, "test", to="ada@example.org", sender="ops@example.com")
    assert "You may not submit so much" in page.content.decode()
    assert Message.objects.count() == 1
    assert len(said()) == 1


def test_a_suppressed_recipient_gets_no_test_message_and_the_page_says_so(
    provider: Provider,
) -> None:
    user = make_member(RoleKey.OPERATOR)
    SuppressionFactory(owner=user, address="ada@example.org")
    page = choose(signed_in(user), provider, "test", to="ada@example.org", sender="ops@example.com")
    assert State.SUPPRESSED.label in page.content.decode()


def test_others_messages_are_not_shown_as_tests(
    operator: Client, provider: Provider, owner: User
) -> None:
    foreign = make_message(owner=owner, preferred_provider="first", failover=False)
    assert "Test message" not in page_of(operator, provider, f"?test={foreign.pk}")
    assert "Test message" not in page_of(operator, provider, "?test=<script>")
