"""One message's page, and its body behind a click."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications.delivery.reading import Reading
from notifications.models import Handoff, Message, State, User
from tests.factories import RequestLogFactory
from tests.stories import accepted, answered, deliveries_of, handed_over, moved


def page_of(message: Message) -> str:
    return reverse("admin:notifications_message_change", args=[message.pk])


def read(client: Client, message: Message) -> str:
    """The page's text, its white space made even."""
    return " ".join(client.get(page_of(message)).content.decode().split())


@pytest.fixture
def mixed(owner: User) -> Message:
    """Delivered to one; refused for another; the third waits."""
    message = accepted(owner, "ada@example.org", "bob@example.org", "carol@example.org")
    first, second, third = deliveries_of(message)
    planned = handed_over(message, to="relay", deliveries=[first])
    answered(planned)
    Handoff.objects.filter(id=planned.handoff_id).update(provider_message_id="esp-77")
    moved(first, State.DELIVERED, provider="relay", source="tracking", report_id="1")
    answered(
        handed_over(message, to="relay", deliveries=[second]),
        Reading.RECIPIENT_REFUSED,
        code=550,
        answer="5.1.1 <bob@example.org>: unknown user",
    )
    waiting = handed_over(message, to="relay", deliveries=[third])
    answered(waiting, Reading.TEMPORARY, code=451, answer="4.7.1 Greylisted", wait=300)
    return message


def test_the_page_says_in_plain_words_what_became_of_the_message(
    viewer: Client, mixed: Message
) -> None:
    page = read(viewer, mixed)
    assert "Delivered to 1 of 3; one is waiting and will be tried again at" in page
    assert "relay refused this recipient for good (550 5.1.1 &lt;bob@example.org&gt;" in page
    assert "It will be tried again <time" in page
    assert "Limbo accepted the message." in page
    assert "<dt>Priority</dt> <dd> normal </dd>" in page
    assert "esp-77" in page
    assert mixed.header_message_id.strip("<>") in page


def test_the_providers_own_words_are_folded(viewer: Client, mixed: Message) -> None:
    assert "<summary>Raw answer</summary> <pre>451 4.7.1 Greylisted</pre>" in read(viewer, mixed)


def test_the_request_that_made_the_message_is_named(viewer: Client, mixed: Message) -> None:
    assert "None is known." in read(viewer, mixed)
    row = RequestLogFactory(method="POST", message_id=mixed.id, address="203.0.113.7")
    page = read(viewer, mixed)
    assert reverse("admin:notifications_requestlog_change", args=[row.pk]) in page
    assert "from 203.0.113.7" in page


def test_hostile_text_from_anywhere_is_escaped(support: Client, owner: User) -> None:
    evil = "<img src=x onerror=alert(1)>"
    message = accepted(owner, f"{evil}@example.org", subject=evil, name=evil, text=evil)
    answered(handed_over(message, to="relay"), Reading.MESSAGE_REFUSED, code=554, answer=evil)
    page = support.get(page_of(message)).content.decode()
    assert evil not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 4


def test_the_page_costs_the_same_however_many_recipients(viewer: Client, owner: User) -> None:
    def cost(*recipients: str) -> int:
        message = accepted(owner, *recipients)
        answered(handed_over(message, to="relay"))
        with CaptureQueriesContext(connection) as caught:
            assert viewer.get(page_of(message)).status_code == 200
        return len(caught)

    one = cost("ada@example.org")
    assert cost(*(f"reader{n}@example.org" for n in range(20))) == one
    assert one <= 13


def test_a_message_that_does_not_exist_leads_back_home(viewer: Client) -> None:
    missing = reverse("admin:notifications_message_change", args=[uuid4()])
    assert viewer.get(missing)["Location"] == "/admin/"


def test_a_viewer_is_offered_neither_choices_nor_the_body(viewer: Client, mixed: Message) -> None:
    page = read(viewer, mixed)
    assert "Requeue dead letters" not in page
    assert "Read the body" not in page
    assert "your invoice is ready" not in page


def test_support_are_offered_only_what_would_change_something(
    support: Client, owner: User, mixed: Message
) -> None:
    page = read(support, mixed)
    assert "Retry now" in page
    assert "Requeue dead letters" in page
    assert 'value="cancel"' in page
    sent = accepted(owner, "ada@example.org")
    answered(handed_over(sent))
    page = read(support, sent)
    assert "Requeue dead letters" not in page
    assert 'value="cancel"' not in page
