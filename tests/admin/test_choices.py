"""Retry now, requeue dead letters, cancel: on a selection and on a message's page."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notifications.admin.choices import BY_NAME
from notifications.delivery.providers import sync_rows
from notifications.delivery.reading import Reading
from notifications.models import Delivery, Event, Message, Provider, State, Suppression, User
from tests.admin.conftest import LIST, make_staff, signed_in
from tests.stories import accepted, answered, deliveries_of, handed_over, moved


def choose(client: Client, action: str, *messages: Message, **fields: Any) -> Any:
    """Post a choice for the messages, as the list does."""
    ticked = [str(message.pk) for message in messages]
    form = {"action": action, "_selected_action": ticked, "index": "0", **fields}
    return client.post(LIST, form, follow=True)


def told(answer: Any) -> str:
    """What the page says was done."""
    return "; ".join(str(note) for note in answer.context["messages"])


def states(message: Message) -> list[str]:
    return [delivery.state for delivery in deliveries_of(message)]


@pytest.fixture
def dead(owner: User) -> Message:
    """A dead letter, refused for good."""
    message = accepted(owner, "dead@example.org", subject="dead")
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer="5.7.1 no")
    return message


@pytest.fixture
def waiting(owner: User) -> Message:
    """One that waits five minutes for its next try."""
    message = accepted(owner, "waiting@example.org", subject="waiting")
    answered(handed_over(message), Reading.TEMPORARY, code=451, answer="4.7.1 later", wait=300)
    return message


@pytest.fixture
def doubtful(owner: User) -> Message:
    """One that a provider may have taken."""
    message = accepted(owner, "doubtful@example.org", subject="doubtful")
    answered(handed_over(message), Reading.AMBIGUOUS, code=None, answer="")
    return message


@pytest.fixture
def sent(owner: User) -> Message:
    message = accepted(owner, "sent@example.org", subject="sent")
    answered(handed_over(message))
    return message


def test_requeue_asks_first_and_says_what_and_how_many(
    support: Client, dead: Message, sent: Message
) -> None:
    answer = choose(support, "requeue", dead, sent)
    page = " ".join(answer.content.decode().split())
    assert "Requeue 1 dead letter of 2 messages" in page
    assert "new generation" in page
    assert states(dead) == [State.FAILED]
    assert not LogEntry.objects.exists()


def test_requeue_needs_a_reason(support: Client, dead: Message) -> None:
    answer = choose(support, "requeue", dead, confirmed="1", reason=" ")
    assert "This field is required." in answer.content.decode()
    assert states(dead) == [State.FAILED]


def test_requeue_sends_dead_letters_again_and_nothing_else(
    support: Client, dead: Message, sent: Message, waiting: Message
) -> None:
    answer = choose(support, "requeue", dead, sent, confirmed="1", reason="The server is mended")
    assert told(answer) == (
        "1 dead letter will be sent again; 1 message had none and stayed as before."
    )
    again = Delivery.objects.get(message=dead)
    assert (again.state, again.generation) == (State.PENDING, 2)
    assert states(sent) == [State.SENT]
    assert Event.objects.filter(message=waiting, data__has_key="by").count() == 0
    event = Event.objects.filter(message=dead).latest("seq")
    assert event.data["by"] == "support"
    assert event.data["reason"] == "The server is mended"


def test_each_changed_message_gets_an_entry_in_the_log_of_staffs_actions(
    support: Client, dead: Message, sent: Message
) -> None:
    choose(support, "requeue", dead, sent, confirmed="1", reason="Mended")
    entry = LogEntry.objects.get()
    assert entry.object_id == str(dead.pk)
    assert entry.user.get_username() == "support"
    assert entry.get_change_message() == "Requeue dead letters: 1 dead letter. Reason: Mended"


def test_retry_now_makes_what_waits_due_without_a_question(
    support: Client, waiting: Message, sent: Message
) -> None:
    answer = choose(support, "retry_now", waiting, sent)
    assert told(answer) == (
        "1 waiting delivery will be tried now; 1 message had none and stayed as before."
    )
    waiting.refresh_from_db()
    assert waiting.due_at is not None
    assert waiting.due_at <= timezone.now()
    assert states(sent) == [State.SENT]


def test_cancel_asks_first_and_then_stops_what_waits(
    support: Client, waiting: Message, sent: Message
) -> None:
    page = " ".join(choose(support, "cancel", waiting, sent).content.decode().split())
    assert "Cancel 1 waiting delivery of 2 messages" in page
    assert states(waiting) == [State.PENDING]
    assert "This field is required." in (
        choose(support, "cancel", waiting, sent, confirmed="1").content.decode()
    )
    assert states(waiting) == [State.PENDING]
    answer = choose(support, "cancel", waiting, sent, confirmed="1", reason="The owner asked")
    assert "1 waiting delivery will not be sent" in told(answer)
    event = Event.objects.get(message=waiting, kind=State.CANCELLED)
    assert event.data["reason"] == "The owner asked"
    assert states(waiting) == [State.CANCELLED]
    assert states(sent) == [State.SENT]


def test_a_choice_that_changes_nothing_says_so_and_asks_nothing(
    support: Client, sent: Message
) -> None:
    assert told(choose(support, "requeue", sent)) == (
        "Nothing was changed: there was no dead letter."
    )
    assert told(choose(support, "cancel", sent)) == (
        "Nothing was changed: there was no waiting delivery."
    )
    assert not LogEntry.objects.exists()


def test_only_what_still_fits_is_changed_when_the_answer_comes_late(
    support: Client, waiting: Message
) -> None:
    choose(support, "cancel", waiting)
    moved(deliveries_of(waiting)[0], State.SENDING, provider="sink")
    answer = choose(support, "cancel", waiting, confirmed="1", reason="The owner asked")
    assert told(answer) == "Nothing was changed: there was no waiting delivery."
    assert states(waiting) == [State.SENDING]


@pytest.mark.parametrize("action", BY_NAME)
def test_choices_need_the_permission(
    dead: Message, waiting: Message, doubtful: Message, action: str
) -> None:
    viewer = signed_in(make_staff("looks", ["view_message"]))
    waiting.refresh_from_db()
    before = waiting.due_at, states(dead), states(waiting), states(doubtful)
    choose(viewer, action, dead, waiting, doubtful, confirmed="1", reason="x")
    waiting.refresh_from_db()
    assert (waiting.due_at, states(dead), states(waiting), states(doubtful)) == before
    assert not LogEntry.objects.exists()


def test_a_choice_without_the_forms_token_is_refused(dead: Message) -> None:
    forger = Client(enforce_csrf_checks=True)
    forger.force_login(User.objects.create_superuser("root"))
    form = {"action": "requeue", "_selected_action": str(dead.pk), "confirmed": "1", "reason": "x"}
    assert forger.post(LIST, form).status_code == 403
    assert states(dead) == [State.FAILED]


def test_a_choice_made_on_a_messages_page_leads_back_to_it(support: Client, dead: Message) -> None:
    question = choose(support, "requeue", dead, from_page="1")
    assert 'name="from_page"' in question.content.decode()
    answer = choose(support, "requeue", dead, from_page="1", confirmed="1", reason="Mended")
    page = reverse("admin:notifications_message_change", args=[dead.pk])
    assert answer.redirect_chain == [(page, 302)]
    assert "support chose to send it again: Mended" in answer.content.decode()


def test_dead_letters_are_requeued_through_the_provider_that_is_chosen(
    support: Client, dead: Message
) -> None:
    sync_rows()
    answer = choose(support, "requeue", dead, confirmed="1", reason="Mended", through="second")
    assert told(answer) == "1 dead letter will be sent again."
    assert Delivery.objects.get(message=dead).through == "second"
    page = support.get(reverse("admin:notifications_message_change", args=[dead.pk]))
    said = "support chose to send it again through second: Mended"
    assert said in page.content.decode()
    note = LogEntry.objects.get().get_change_message()
    assert note == "Requeue dead letters: 1 dead letter, through second. Reason: Mended"


@pytest.mark.parametrize("name", ["nobody", "sandbox", "first"])
def test_only_a_provider_that_is_there_and_enabled_can_be_chosen(
    support: Client, dead: Message, name: str
) -> None:
    sync_rows()
    Provider.objects.filter(name="first").update(enabled=False)
    answer = choose(support, "requeue", dead, confirmed="1", reason="Mended", through=name)
    assert "Select a valid choice" in answer.content.decode()
    assert states(dead) == [State.FAILED]


def test_what_is_in_doubt_is_settled_as_sent_with_a_reason(
    support: Client, doubtful: Message, sent: Message
) -> None:
    question = " ".join(choose(support, "settle_as_sent", doubtful, sent).content.decode().split())
    assert "Settle 1 uncertain delivery of 2 messages as sent" in question
    choose(support, "settle_as_sent", doubtful, sent, confirmed="1", reason=" ")
    assert states(doubtful) == [State.UNCERTAIN]
    answer = choose(support, "settle_as_sent", doubtful, sent, confirmed="1", reason="She has it")
    assert told(answer).startswith("1 uncertain delivery counts as sent; 1 message had none")
    assert states(doubtful) == [State.SENT]
    page = support.get(reverse("admin:notifications_message_change", args=[doubtful.pk]))
    assert "support said that it was sent: She has it" in page.content.decode()
    assert LogEntry.objects.get().object_id == str(doubtful.pk)


def test_what_is_in_doubt_is_sent_again_as_a_new_generation(
    support: Client, doubtful: Message, dead: Message
) -> None:
    question = choose(support, "send_again", doubtful)
    assert "a second copy" in question.content.decode()
    choose(support, "send_again", doubtful, dead, confirmed="1", reason="She has nothing")
    again = Delivery.objects.get(message=doubtful)
    assert (again.state, again.generation) == (State.PENDING, 2)
    assert states(dead) == [State.FAILED]


def test_who_was_suppressed_meanwhile_gets_nothing_and_the_answer_says_so(
    support: Client, owner: User, dead: Message, waiting: Message
) -> None:
    for address in ("dead@example.org", "waiting@example.org"):
        Suppression.objects.create(owner=owner, address=address, reason="manual")
    answer = choose(support, "requeue", dead, confirmed="1", reason="Mended")
    assert told(answer) == (
        "0 dead letters will be sent again; 1 recipient got nothing: suppressed meanwhile."
    )
    choose(support, "retry_now", waiting)
    assert (states(dead), states(waiting)) == ([State.SUPPRESSED], [State.SUPPRESSED])


def test_a_messages_page_offers_what_would_change_it(support: Client, doubtful: Message) -> None:
    page = support.get(reverse("admin:notifications_message_change", args=[doubtful.pk]))
    offered = [choice.name for choice in page.context["choices"]]
    assert offered == ["settle_as_sent", "send_again"]
