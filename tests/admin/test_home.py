"""Staff's home: what is wrong now."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.admin import home_findings
from notifications.delivery.reading import Reading
from notifications.models import BulkAction, Heartbeat, Message, Provider, State, User
from notifications.queue.bulk import MOST_TRIES, resume_stalled, start_bulk, stop_bulk
from notifications.queue.bulk_choices import CANCEL, Decision
from tests.admin.conftest import make_staff, signed_in
from tests.factories import UserFactory
from tests.queue.line import queue_up
from tests.stories import accepted, answered, deliveries_of, handed_over, moved


def findings(client: Client) -> dict[str, tuple[str, str, str]]:
    """What the home page says of each thing: its tone, its text and where it leads."""
    found = client.get("/admin/").context["findings"]
    return {finding.title: (finding.tone, finding.text, finding.link) for finding in found}


QUERIES = 21
"""Of one look at the home page: no more, whatever there is."""

LATER = timezone.now() + timedelta(days=2)
TOLD = f"{LATER.day} {LATER:%B %Y, %H:%M:%S} UTC"


@pytest.fixture
def at_work(db: None) -> None:
    """A worker is alive, and the providers are in use."""
    Heartbeat.objects.beat("host:1")
    for name in ("first", "second"):
        Provider.objects.get_or_create(name=name)


def test_all_is_well_when_it_is(viewer: Client, at_work: None) -> None:
    assert "All is well" in viewer.get("/admin/").content.decode()
    assert {tone for tone, _, _ in findings(viewer).values()} == {"good"}


def test_a_worker_that_never_was_and_one_that_went_away_are_told_apart(
    viewer: Client, at_work: None
) -> None:
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=7))
    tone, text, _ = findings(viewer)["Workers"]
    assert tone == "bad"
    assert text.replace("\xa0", " ") == (
        "No worker has taken up work for 7 minutes: nothing is being sent."
    )
    Heartbeat.objects.all().delete()
    assert findings(viewer)["Workers"][1] == "No worker has begun: nothing is being sent."


def test_a_backlog_is_wrong_once_it_is_old(viewer: Client, at_work: None, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    assert findings(viewer)["Backlog"][:2] == ("good", "1 due, none for long.")
    Message.objects.filter(pk=message.pk).update(due_at=timezone.now() - timedelta(minutes=5))
    tone, text, link = findings(viewer)["Backlog"]
    assert tone == "doubt"
    assert text.replace("\xa0", " ") == "1 due, the oldest for 5 minutes."
    assert [row.pk for row in viewer.get(link).context["cl"].result_list] == [message.pk]


def test_what_is_due_again_and_has_no_turn_yet_is_in_the_backlog(
    viewer: Client, at_work: None, owner: User
) -> None:
    accepted(owner, "ada@example.org")
    again = accepted(owner, "bob@example.org")
    past = timezone.now() - timedelta(minutes=3)
    Message.objects.filter(pk=again.pk).update(due_at=past, turn=None)
    text = findings(viewer)["Backlog"][1].replace("\xa0", " ")
    assert text == "2 due, the oldest for 3 minutes."


def test_the_backlogs_oldest_is_found_behind_a_flood_that_came_later(
    viewer: Client, at_work: None, owner: User
) -> None:
    """The queue is in the order of turns, not of time."""
    queue_up(UserFactory(), 3000)
    message = accepted(owner, "ada@example.org")
    past = timezone.now() - timedelta(minutes=3)
    Message.objects.filter(pk=message.pk).update(due_at=past)
    text = findings(viewer)["Backlog"][1].replace("\xa0", " ")
    assert text == "1000+ due, the oldest for 3 minutes."


def test_dead_letters_and_uncertain_ones_lead_to_the_filtered_list(
    viewer: Client, at_work: None, owner: User
) -> None:
    dead = accepted(owner, "ada@example.org", subject="dead")
    answered(handed_over(dead, to="first"), Reading.MESSAGE_REFUSED, code=554)
    doubtful = accepted(owner, "bob@example.org", subject="doubtful")
    answered(handed_over(doubtful, to="first"), Reading.AMBIGUOUS, code=None)
    found = findings(viewer)
    for title, tone, subject in (
        ("Dead letters", "bad", "dead"),
        ("Uncertain", "doubt", "doubtful"),
    ):
        assert found[title][0] == tone
        rows = viewer.get(found[title][2]).context["cl"].result_list
        assert [row.subject for row in rows] == [subject]
    assert "2 things to look at" in viewer.get("/admin/").content.decode()


def test_a_bulk_action_that_stopped_by_itself_is_wrong_until_it_goes_on_or_ends(
    viewer: Client, at_work: None, owner: User
) -> None:
    accepted(owner, "ada@example.org")
    action = start_bulk(
        choice=CANCEL,
        decision=Decision(owner, "wrong list"),
        messages=Message.objects.all(),
        whose="of all users",
        chosen_by="",
    )
    assert "Bulk action" not in findings(viewer)
    BulkAction.objects.update(tries=MOST_TRIES, due_at=timezone.now() - timedelta(seconds=1))
    resume_stalled()
    tone, text, link = findings(viewer)["Bulk action"]
    assert tone == "bad"
    assert re.fullmatch(
        r"Stopped by itself at .*\d\d:\d\d UTC: Cancel 1 waiting delivery of all users\.", text
    )
    assert viewer.get(link).context["bulk"] == action
    stop_bulk(action.pk, by=owner)
    assert "Bulk action" not in findings(viewer)


@pytest.mark.parametrize(
    ("fields", "tone", "text"),
    [
        ({"enabled": False}, "quiet", "Off."),
        (
            {"enabled": False, "fault": "535 <b>no</b>"},
            "bad",
            "Off: refused our credentials. 535 <b>no</b>",
        ),
        (
            {"closed_until": LATER},
            "doubt",
            f"Closed for a while. It asked us to wait until {TOLD}.",
        ),
        ({"closed_until": timezone.now() - timedelta(hours=1)}, "good", "In use."),
        (
            {"breaker_until": LATER, "breaker_reason": "it failed"},
            "doubt",
            f"Left alone for a while. Open until {TOLD}: it failed",
        ),
        (
            {"breaker_until": timezone.now() - timedelta(hours=1), "breaker_reason": "it failed"},
            "doubt",
            "Waits for its probe. The next hand-off decides: it failed",
        ),
    ],
)
def test_each_provider_says_how_it_stands(
    viewer: Client, at_work: None, fields: dict[str, object], tone: str, text: str
) -> None:
    Provider.objects.filter(name="first").update(**fields)
    assert findings(viewer)["Provider first"][:2] == (tone, text)
    assert "<b>no</b>" not in viewer.get("/admin/").content.decode()


def test_a_provider_that_was_taken_out_of_the_settings_says_so(
    viewer: Client, at_work: None
) -> None:
    Provider.objects.create(name="former")
    assert findings(viewer)["Provider former"][:2] == ("quiet", "Not configured.")


def test_counting_stops_at_a_cap(
    viewer: Client, at_work: None, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_findings, "COUNT_CAP", 2)
    for _ in range(4):
        accepted(owner, "ada@example.org")
    assert findings(viewer)["Backlog"][1].startswith("2+ due")


@pytest.mark.parametrize("period", ["hour", "day", "week"])
def test_it_costs_the_same_however_much_there_is(
    viewer: Client, at_work: None, owner: User, period: str
) -> None:
    def cost() -> int:
        # what came since the last time is counted first
        viewer.get("/admin/")
        with CaptureQueriesContext(connection) as caught:
            viewer.get("/admin/", {"period": period})
        return len(caught)

    accepted(owner, "ada@example.org")
    few = cost()
    for number in range(20):
        message = accepted(UserFactory(), f"user{number}@example.org")
        answered(handed_over(message, to="first"), Reading.SENT)
    assert (few, cost()) == (QUERIES, QUERIES)


def test_providers_are_shown_only_to_those_who_may_see_them(at_work: None) -> None:
    clerk = signed_in(make_staff("clerk", ["view_message"]))
    assert not any(title.startswith("Provider") for title in findings(clerk))


def test_what_is_wrong_comes_first(viewer: Client, at_work: None) -> None:
    Provider.objects.filter(name="second").update(enabled=False, fault="535 no")
    Provider.objects.filter(name="first").update(closed_until=LATER)
    titles = [finding.title for finding in viewer.get("/admin/").context["findings"]]
    assert titles[:2] == ["Provider second", "Provider first"]


def test_workers_at_work_say_since_when(viewer: Client, at_work: None) -> None:
    began = timezone.now() - timedelta(days=3)
    Heartbeat.objects.update(started_at=began)
    assert findings(viewer)["Workers"][1] == f"At work since {began.day} {began:%B, %H:%M} UTC."
    Heartbeat.objects.beat("host:2")
    assert findings(viewer)["Workers"][1].startswith("2 clusters at work since")


def test_dead_letters_tell_how_many_are_new(viewer: Client, at_work: None, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    answered(handed_over(message, to="first"), Reading.MESSAGE_REFUSED, code=554)
    text = findings(viewer)["Dead letters"][1]
    assert text == "1 ended without success, 1 of them accepted in the last 24 hours."


@pytest.fixture
def traffic(owner: User) -> None:
    """Three messages were accepted, two of them sent, one of these came back."""
    for to in ("ada", "bob", "eve"):
        message = accepted(owner, f"{to}@example.org")
        if to != "ada":
            answered(handed_over(message, to="first"), Reading.SENT)
        if to == "eve":
            (delivery,) = deliveries_of(message)
            moved(delivery, State.BOUNCED, provider="first")


@pytest.mark.parametrize("period", ["hour", "day", "week", "", "never"])
def test_the_charts_show_what_came_and_went(viewer: Client, traffic: None, period: str) -> None:
    context = viewer.get("/admin/", {"period": period}).context
    charts = {chart.title: chart for chart in context["charts"]}
    assert {title: chart.total for title, chart in charts.items()} == {
        "Accepted": "3",
        "Sent": "2",
        "Delivered": "0",
        "Bounced": "1",
    }
    assert {bar.height for bar in charts["Accepted"].bars} == {0, 60}
    assert charts["Accepted"].bars[-1].title.endswith(": 3")
    assert context["steps"][-1].counts == ["3", "2", "0", "1"]
    assert len(context["steps"]) == len(charts["Accepted"].bars)


def test_the_tables_tell_of_each_user_and_provider(viewer: Client, traffic: None) -> None:
    context = viewer.get("/admin/").context
    (user,) = context["owner_rows"]
    assert (user.name, user.counts, user.share) == ("shop", ["3", "2", "0", "1"], "50.0%")
    assert user.is_bad
    (provider,) = context["provider_rows"]
    assert (provider.name, provider.counts) == ("first", ["2", "0", "1"])
    rows = viewer.get(user.link).context["cl"].result_list
    assert len(rows) == 3
    assert len(viewer.get(provider.link).context["cl"].result_list) == 2


def test_a_chart_leads_to_its_messages(viewer: Client, traffic: None) -> None:
    charts = {chart.title: chart for chart in viewer.get("/admin/").context["charts"]}
    bounced = viewer.get(charts["Bounced"].link).context["cl"].result_list
    assert [message.state for message in bounced] == [State.BOUNCED]


def test_a_user_s_name_is_text_and_no_markup(viewer: Client, at_work: None) -> None:
    accepted(UserFactory(username="<b>x</b>"), "ada@example.org")
    assert "<b>x</b>" not in viewer.get("/admin/").content.decode()


def test_rates_are_shown_only_to_those_who_may_see_messages(at_work: None) -> None:
    clerk = signed_in(make_staff("clerk", ["view_provider"]))
    assert "rates" not in clerk.get("/admin/").context
