"""Choices for all that a list has: at once, or as a bulk action with a page of its own."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.admin import bulk_selection, message_choices
from notifications.delivery.reading import Reading
from notifications.history.timeline import timeline
from notifications.models import BulkAction, Delivery, Message, State, User
from notifications.queue.bulk import MOST_TRIES, resume_stalled
from notifications.queue.bulk_run import run_batch
from notifications.queue.bulk_targets import KEPT, remove_old_targets
from tests.admin.conftest import LIST, make_staff, signed_in
from tests.stories import accepted, answered, handed_over, moved


def choose_all(client: Client, action: str, filters: dict[str, str], **fields: Any) -> Any:
    """Post a choice for all that the list with `filters` has, as "Select all" does."""
    ticked = str(Message.objects.latest("id").pk)
    form = {"action": action, "_selected_action": ticked, "index": "0", "select_across": "1"}
    return client.post(f"{LIST}?{urlencode(filters)}", form | fields, follow=True)


def text_of(answer: Any) -> str:
    """The page in one line."""
    return " ".join(answer.content.decode().split())


def page_of(action: BulkAction, name: str = "change") -> str:
    """The address of a bulk action's page, or of one of its parts."""
    return reverse(f"admin:notifications_bulkaction_{name}", args=[action.pk])


def generations() -> list[tuple[str, int]]:
    """Whom the messages are for, and how often they have begun."""
    return list(Delivery.objects.order_by("address").values_list("address", "generation"))


@pytest.fixture
def dead(owner: User) -> list[Message]:
    """Three dead letters of two users, and one message that went out."""
    club = User.objects.create_user("club")
    found = []
    for name, of in (("a", owner), ("b", owner), ("c", club)):
        message = accepted(of, f"{name}@example.org", subject=f"dead {name}")
        answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer="no")
        found.append(message)
    answered(handed_over(accepted(owner, "z@example.org")))
    return found


@pytest.fixture
def in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one message is done in the background."""
    monkeypatch.setattr(message_choices, "AT_ONCE", 1)


@pytest.fixture
def begun(dead: list[Message], in_bulk: None, support: Client) -> Callable[[], BulkAction]:
    """Begin to requeue them all."""

    def begin() -> BulkAction:
        filters = {"state": "dead-letters"}
        choose_all(support, "requeue", filters, confirmed="1", reason="The server is mended")
        return BulkAction.objects.get()

    return begin


@pytest.mark.parametrize(
    ("filters", "question"),
    [
        ({}, "Requeue 3 dead letters of all users"),
        ({"state": "dead-letters"}, "Requeue 3 dead letters of all users"),
        ({"owner": "shop"}, "Requeue 2 dead letters of shop"),
        ({"q": "c@example.org"}, "Requeue 1 dead letter of all users"),
    ],
)
def test_it_asks_first_and_says_what_and_how_many(
    support: Client, dead: list[Message], filters: dict[str, str], question: str
) -> None:
    answer = choose_all(support, "requeue", filters)
    assert f"<h2> {question} <" in text_of(answer)
    assert {generation for _, generation in generations()} == {1}


def test_the_question_names_the_filters_and_what_it_counted_no_further(
    support: Client, dead: list[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_selection, "CAP", 2)
    answer = choose_all(support, "requeue", {"state": "dead-letters", "q": "dead"})
    page = text_of(answer)
    assert "Requeue more than 2 dead letters of all users" in page
    assert "Chosen by state: dead letters; search: “dead”" in page


def test_what_is_confirmed_is_done_to_what_the_filters_leave_and_to_nothing_else(
    support: Client, dead: list[Message]
) -> None:
    answer = choose_all(support, "requeue", {"owner": "shop"}, confirmed="1", reason="Mended")
    assert "2 dead letters will be sent again." in text_of(answer)
    assert generations() == [
        ("a@example.org", 2),
        ("b@example.org", 2),
        ("c@example.org", 1),
        ("z@example.org", 1),
    ]
    assert LogEntry.objects.count() == 2


def test_even_a_retry_asks_when_it_is_for_all(support: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    answered(handed_over(message), Reading.TEMPORARY, code=451, wait=300)
    assert "Retry 1 waiting delivery of all users now" in text_of(
        choose_all(support, "retry_now", {})
    )
    answer = choose_all(support, "retry_now", {}, confirmed="1")
    assert "1 waiting delivery will be tried now." in text_of(answer)


def test_a_retry_for_all_may_have_a_reason(support: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    answered(handed_over(message), Reading.TEMPORARY, code=451, wait=300)
    assert "If you like. It is kept" in text_of(choose_all(support, "retry_now", {}))
    choose_all(support, "retry_now", {}, confirmed="1", reason="The relay is mended")
    story = timeline(message)
    assert story.lines[-1].sentence == "Support asked to try again now: The relay is mended"
    note = LogEntry.objects.get().get_change_message()
    assert note == "Retry now: 1 waiting delivery. Reason: The relay is mended"


def test_many_are_left_to_a_worker_and_the_page_says_so(
    begun: Callable[[], BulkAction], support: Client
) -> None:
    action = begun()
    assert {generation for _, generation in generations()} == {1}
    page = text_of(support.get(page_of(action)))
    assert "Requeue 3 dead letters of all users" in page
    assert "The server is mended" in page
    assert "Chosen by state: dead letters" in page
    assert "It begins as soon as a worker is free." in page
    while run_batch(action.pk, action.run):
        pass
    page = text_of(support.get(page_of(action)))
    assert "Done in " in page
    assert [generation for _, generation in generations()] == [2, 2, 2, 1]


def test_its_beginning_and_its_stop_are_in_the_log_of_staffs_actions(
    begun: Callable[[], BulkAction], support: Client
) -> None:
    action = begun()
    answer = support.post(page_of(action, "stop"), follow=True)
    assert "Stopped by support. 3 messages stayed as before." in text_of(answer)
    assert not run_batch(action.pk, action.run)
    assert {generation for _, generation in generations()} == {1}
    stopped, began = LogEntry.objects.order_by("-pk")
    assert began.get_change_message() == (
        "Requeue 3 dead letters of all users. Chosen by state: dead letters. "
        "Reason: The server is mended"
    )
    assert stopped.get_change_message() == "Stopped, with 3 messages left."
    for entry in (began, stopped):
        assert (entry.user.get_username(), entry.object_id) == ("support", str(action.pk))
    answer = support.post(page_of(action, "stop"), follow=True)
    assert "It had ended already." in text_of(answer)


def test_one_that_fails_again_and_again_says_so_and_goes_on_by_a_button(
    begun: Callable[[], BulkAction], support: Client, viewer: Client
) -> None:
    action = begun()
    BulkAction.objects.update(tries=2, error="no number")
    trouble = "The last one ended with: no number. It is tried again within a minute."
    assert trouble in text_of(support.get(page_of(action)))
    past = timezone.now() - timedelta(seconds=1)
    BulkAction.objects.update(tries=MOST_TRIES, due_at=past)
    resume_stalled()
    page = text_of(support.get(page_of(action)))
    said = "It stopped by itself: 5 tries in a row did nothing. The last one ended with: no number."
    assert said in page
    part = text_of(support.get(page_of(action, "progress")))
    assert "hx-trigger" not in part
    assert page_of(action, "go_on") in part
    assert "hx-trigger" not in part
    assert page_of(action, "go_on") not in text_of(viewer.get(page_of(action)))
    answer = support.post(page_of(action, "go_on"), follow=True)
    assert "It begins as soon as a worker is free." in text_of(answer)
    assert LogEntry.objects.latest("pk").get_change_message() == "Went on, with 3 messages left."
    action.refresh_from_db()
    while run_batch(action.pk, action.run):
        pass
    assert [generation for _, generation in generations()] == [2, 2, 2, 1]
    answer = support.post(page_of(action, "go_on"), follow=True)
    assert "It was under way already, or had ended." in text_of(answer)


def test_one_whose_workers_were_killed_each_time_says_so(
    begun: Callable[[], BulkAction], viewer: Client
) -> None:
    action = begun()
    BulkAction.objects.update(tries=MOST_TRIES, due_at=timezone.now() - timedelta(seconds=1))
    resume_stalled()
    assert "its worker was killed" in text_of(viewer.get(page_of(action)))


def test_the_page_renews_its_numbers_until_it_has_ended(
    begun: Callable[[], BulkAction], dead: list[Message], support: Client
) -> None:
    action = begun()
    moved(Delivery.objects.get(message=dead[0]), State.PENDING, requeue=True)
    assert "hx-trigger" in text_of(support.get(page_of(action, "progress")))
    while run_batch(action.pk, action.run):
        pass
    part = text_of(support.get(page_of(action, "progress")))
    assert "hx-trigger" not in part
    assert "It was no dead letter any more: 1" in part
    assert reverse("admin:notifications_message_change", args=[dead[0].pk]) in part


def test_long_after_the_end_its_page_tells_how_many_and_no_longer_which(
    begun: Callable[[], BulkAction], dead: list[Message], viewer: Client
) -> None:
    action = begun()
    moved(Delivery.objects.get(message=dead[0]), State.PENDING, requeue=True)
    while run_batch(action.pk, action.run):
        pass
    BulkAction.objects.update(ended_at=timezone.now() - KEPT - timedelta(minutes=1))
    remove_old_targets()
    page = text_of(viewer.get(page_of(action)))
    assert "It was no dead letter any more: 1" in page
    assert "Which messages these were is kept for 30 days after the end." in page


def test_staff_who_may_only_look_see_it_and_cannot_stop_it(
    begun: Callable[[], BulkAction], viewer: Client
) -> None:
    action = begun()
    page = viewer.get(page_of(action))
    assert page.status_code == 200
    assert page_of(action, "stop") not in page.content.decode()
    assert viewer.get(page_of(action, "progress")).status_code == 200
    assert viewer.post(page_of(action, "stop")).status_code == 403
    assert BulkAction.objects.filter(ended_at__isnull=True).exists()


@pytest.mark.parametrize("name", ["change", "progress", "stop", "go_on"])
def test_others_are_kept_out(begun: Callable[[], BulkAction], name: str) -> None:
    action = begun()
    stranger, nobody = Client(), signed_in(make_staff("new"))
    send = "post" if name in {"stop", "go_on"} else "get"
    assert getattr(stranger, send)(page_of(action, name)).status_code == 302
    assert getattr(nobody, send)(page_of(action, name)).status_code == 403


def test_a_page_whose_session_has_ended_is_told_to_load_anew(
    begun: Callable[[], BulkAction], viewer: Client
) -> None:
    part = page_of(begun(), "progress")
    assert "HX-Refresh" not in viewer.get(part, headers={"HX-Request": "true"}).headers
    answer = Client().get(part, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")


def test_it_is_begun_only_by_staff_who_may_act(
    viewer: Client, dead: list[Message], in_bulk: None
) -> None:
    choose_all(viewer, "requeue", {}, confirmed="1", reason="x")
    assert not BulkAction.objects.exists()
    assert {generation for _, generation in generations()} == {1}


def test_it_is_not_stopped_by_a_link(begun: Callable[[], BulkAction], support: Client) -> None:
    action = begun()
    assert support.get(page_of(action, "stop")).status_code == 405


def test_the_list_tells_how_far_each_has_come(
    begun: Callable[[], BulkAction], viewer: Client
) -> None:
    begun()
    page = text_of(viewer.get(reverse("admin:notifications_bulkaction_changelist")))
    assert "Requeue 3 dead letters of all users" in page
    assert "waiting" in page
