"""One message's page."""

import json
import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from notifications.delivery.reading import Reading
from notifications.models import Content, Message, State, User
from notifications.web import views
from tests.stories import accepted, answered, deliveries_of, handed_over, moved

HOSTILE = "<img src=x onerror=alert(1)>"


def page_of(message: Message) -> str:
    return f"/messages/{message.id}/"


def live_part(message: Message, seen: int = -1) -> str:
    return f"/messages/{message.id}/live/?seen={seen}"


def words(html: str) -> str:
    """A page's text, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_anothers_message_is_not_there(client: Client, ada: User, eve: User) -> None:
    message = accepted(ada, "bob@example.org", subject="private")
    client.force_login(eve)
    for path in (page_of(message), live_part(message)):
        assertNotContains(client.get(path), "private", status_code=404)


def test_a_message_that_does_not_exist_answers_like_anothers(
    signed_in: Client, eve: User, client: Client
) -> None:
    others = accepted(eve, "bob@example.org")
    nobodys = "/messages/01890000-0000-7000-8000-000000000000/"
    there, absent = signed_in.get(page_of(others)), signed_in.get(nobodys)
    assert there.status_code == absent.status_code == 404
    answers = [{**json.loads(answer.content), "request_id": ""} for answer in (there, absent)]
    assert answers[0] == answers[1]


def test_strangers_are_led_to_the_sign_in(client: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    assert client.get(page_of(message)).headers["Location"].startswith("/sign-in/")


def test_it_tells_the_headline_the_recipients_and_the_history(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org", cc=["carol@example.org"])
    bob, carol = deliveries_of(message)
    answered(handed_over(message, deliveries=[bob]))
    refused = handed_over(message, deliveries=[carol])
    answered(refused, Reading.RECIPIENT_REFUSED, code=550, answer="5.1.1 unknown")
    text = words(signed_in.get(page_of(message)).content.decode())
    assert "Sent to 1 of 2; one was refused as a recipient." in text
    assert "sink took it (250 2.0.0 OK) bob@example.org" in text
    assert "sink refused this recipient for good (550 5.1.1 unknown) carol@example.org" in text
    assert "Cc carol@example.org Refused for this recipient" in text


def test_what_happened_to_all_at_once_is_one_entry(signed_in: Client, ada: User) -> None:
    message = accepted(ada, *(f"user{n}@example.org" for n in range(4)))
    answered(handed_over(message, deliveries=deliveries_of(message)[:3]))
    page = signed_in.get(page_of(message)).content.decode()
    history = words(page[page.index('id="history"') :])
    assert history.count("sink took it") == 1
    assert "sink took it (250 2.0.0 OK) user0@example.org, user1@example.org" in history


def test_a_waiting_recipient_is_told_when_it_is_tried_again(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.TEMPORARY, code=451, answer="later", wait=600)
    text = words(signed_in.get(page_of(message)).content.decode())
    assert re.search(r"It will be tried again at \d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC \.", text)


def test_hostile_text_is_shown_and_never_run(signed_in: Client, ada: User) -> None:
    message = accepted(ada, f'"{HOSTILE}"@example.org', subject=HOSTILE, text=HOSTILE, name=HOSTILE)
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer=HOSTILE)
    page = signed_in.get(page_of(message))
    assertNotContains(page, "<img src=x")
    # title and heading, address, name, answer in summary, attempt and history, text
    assert page.content.decode().count("&lt;img src=x") >= 8


def test_the_owner_never_sees_what_is_for_staff(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    traceback = "Traceback (most recent call last): KeyError"
    answered(handed_over(message), Reading.UNBUILDABLE, code=None, answer=traceback)
    moved(
        deliveries_of(message)[0],
        State.PENDING,
        requeue=True,
        choice="requeue",
        by="grace.of.support",
        reason="mended",
    )
    page = signed_in.get(page_of(message))
    assertContains(page, "Limbo could not build the message")
    assertContains(page, "Support chose to send it again: mended")
    assertNotContains(page, "KeyError")
    assertNotContains(page, "grace.of.support")


def test_a_long_text_is_cut(signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "TEXT_SHOWN", 5)
    message = accepted(ada, "bob@example.org", text="12345678")
    page = signed_in.get(page_of(message))
    assertContains(page, "The first 5 of 8 characters.")
    assertNotContains(page, "123456")


def test_a_text_that_is_no_longer_kept_is_said_to_be_gone(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    Content.objects.filter(message=message).delete()
    assertContains(signed_in.get(page_of(message)), "Its text is no longer kept.")


def test_every_moment_names_its_zone(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message))
    page = signed_in.get(page_of(message)).content.decode()
    times = re.findall(r"<time ([^>]*)>([^<]*)</time>", page)
    assert len(times) >= 5
    assert all("+00:00" in attributes for attributes, _ in times)
    assert all("UTC" in attributes + shown for attributes, shown in times)


def test_an_open_message_asks_for_news_and_a_settled_one_does_not(
    signed_in: Client, ada: User
) -> None:
    message = accepted(ada, "bob@example.org")
    for path in (page_of(message), live_part(message)):
        assertContains(signed_in.get(path), 'data-hx-trigger="every 2s"')
    answered(handed_over(message))
    for path in (page_of(message), live_part(message)):
        assertNotContains(signed_in.get(path), "data-hx-get")
        assertNotContains(signed_in.get(path), "data-hx-trigger")


def test_an_uncertain_message_goes_on_asking(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answered(handed_over(message), Reading.AMBIGUOUS, code=None, answer="connection lost")
    assertContains(signed_in.get(live_part(message)), "data-hx-trigger")


def test_no_news_is_an_empty_answer(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    assert signed_in.get(live_part(message, seen=1)).status_code == 204
    handed_over(message)
    news = signed_in.get(live_part(message, seen=1))
    assertContains(news, "Handing it to sink")
    assertContains(news, "?seen=2")
    assertNotContains(news, "<html")


def test_who_was_signed_out_meanwhile_is_led_to_the_sign_in(client: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    answer = client.get(live_part(message))
    assert answer.status_code == 204
    page = page_of(message).replace("/", "%2F")
    assert answer.headers["HX-Redirect"] == f"/sign-in/?next={page}"


def test_an_open_page_of_a_message_that_is_gone_loads_itself_again(
    client: Client, ada: User, eve: User
) -> None:
    message = accepted(ada, "bob@example.org")
    client.force_login(eve)
    assert client.get(live_part(message)).headers["HX-Refresh"] == "true"


def test_without_scripts_an_open_message_offers_to_look_again(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org")
    page = signed_in.get(page_of(message)).content.decode()
    offered = re.search(r"<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert offered
    assert f'href="{page_of(message)}"' in offered[1]


@pytest.mark.parametrize("recipients", [1, 10])
def test_the_page_takes_six_queries_however_many_recipients(
    signed_in: Client, ada: User, django_assert_num_queries: DjangoAssertNumQueries, recipients: int
) -> None:
    message = accepted(ada, *(f"user{n}@example.org" for n in range(recipients)))
    answered(handed_over(message))
    # session, user, message with its text; deliveries, attempts, events
    with django_assert_num_queries(6):
        signed_in.get(page_of(message))
    with django_assert_num_queries(6):
        signed_in.get(live_part(message))
    # session, user, message
    with django_assert_num_queries(3):
        assert signed_in.get(live_part(message, seen=1 + 2 * recipients)).status_code == 204


@pytest.mark.parametrize("path", ["/messages/", "/messages/{id}/", "/messages/{id}/live/"])
def test_pages_are_only_for_reading(signed_in: Client, ada: User, path: str) -> None:
    message = accepted(ada, "bob@example.org")
    assert signed_in.post(path.format(id=message.id)).status_code == 405
