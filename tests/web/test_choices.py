"""Cancelling a message, and having it tried again, on its pages."""

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from notifications.delivery.reading import Reading
from notifications.models import Message, State, User
from tests.stories import accepted, answered, deliveries_of, handed_over


def paths(message: Message) -> tuple[str, str, str]:
    """The message's page, its cancelling and its retrying."""
    page = f"/messages/{message.id}/"
    return page, f"{page}cancel/", f"{page}retry/"


def state_of(message: Message) -> str:
    return Message.objects.get(id=message.id).state


def test_a_waiting_message_is_cancelled_after_a_question(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org", "carol@example.org")
    page, cancel, retry = paths(message)
    assertContains(signed_in.get(page), cancel)
    assertNotContains(signed_in.get(page), retry)
    assertContains(signed_in.get(cancel), "2 recipients will not get it")
    assert state_of(message) == State.PENDING
    assertRedirects(signed_in.post(cancel), page)
    assert state_of(message) == State.CANCELLED
    assertContains(signed_in.get(page), "Cancelled by you")
    assertNotContains(signed_in.get(page), cancel)


def test_a_dead_letter_is_sent_again_after_a_question(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer="no")
    page, cancel, retry = paths(message)
    assertContains(signed_in.get(page), retry)
    assertNotContains(signed_in.get(page), cancel)
    assertContains(signed_in.get(retry), "To 1 recipient that did not get it")
    assertRedirects(signed_in.post(retry), page)
    (delivery,) = deliveries_of(message)
    assert (delivery.state, delivery.generation) == (State.PENDING, 2)
    assertContains(signed_in.get(page), "You chose to send it again")


def test_what_waits_for_another_try_is_tried_at_once(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.TEMPORARY, code=451, answer="later", wait=600)
    page, _, retry = paths(message)
    assertContains(signed_in.get(page), retry)
    assertContains(signed_in.get(retry), "will be tried at once")
    assertRedirects(signed_in.post(retry), page)
    assertContains(signed_in.get(page), "You asked to try again now")


def test_what_is_in_doubt_is_sent_again_only_when_that_is_ticked(
    signed_in: Client, ada: User
) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.AMBIGUOUS, code=None, answer="lost")
    page, _, retry = paths(message)
    assertContains(signed_in.get(retry), "a second copy may arrive")
    refused = signed_in.post(retry)
    assertContains(refused, "Nothing of it can be tried again", status_code=409)
    assert state_of(message) == State.UNCERTAIN
    assertRedirects(signed_in.post(retry, {"uncertain": "on"}), page)
    assert state_of(message) == State.PENDING


def test_what_was_sent_can_be_neither(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message))
    page, cancel, retry = paths(message)
    for choice in (cancel, retry):
        assertNotContains(signed_in.get(page), choice)
        assertContains(signed_in.post(choice), 'role="alert"', status_code=409)
    assert state_of(message) == State.SENT


@pytest.mark.parametrize("index", [1, 2])
def test_anothers_message_is_not_there(signed_in: Client, eve: User, index: int) -> None:
    message = accepted(eve, "bob@example.org", subject="private")
    path = paths(message)[index]
    assert signed_in.get(path).status_code == signed_in.post(path).status_code == 404
    assert state_of(message) == State.PENDING


@pytest.mark.parametrize("index", [1, 2])
def test_strangers_are_led_to_the_sign_in(client: Client, ada: User, index: int) -> None:
    message = accepted(ada, "bob@example.org")
    path = paths(message)[index]
    for answer in (client.get(path), client.post(path)):
        assert answer.headers["Location"].startswith("/sign-in/")
    assert state_of(message) == State.PENDING
