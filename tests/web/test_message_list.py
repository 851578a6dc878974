"""The list of one's own messages."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from notifications.delivery.reading import Reading
from notifications.intake.tokens import issue_token, revoke
from notifications.models import Message, Scope, State, User
from notifications.models.ids import first_id
from notifications.web import listing
from tests.factories import EventFactory, make_message
from tests.stories import accepted, answered, deliveries_of, handed_over, moved

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>"


def subjects(client: Client, path: str) -> list[str]:
    """The subjects on a page, from the top."""
    page = client.get(path).content.decode()
    return re.findall(r'<a href="/messages/[0-9a-f-]{36}/">(.*?)</a>', page)


def link(client: Client, path: str, relation: str) -> str:
    """Where the page's link of that relation leads."""
    page = client.get(path).content.decode()
    match = re.search(rf'rel="{relation}"\s+href="([^"]+)"', page)
    assert match, f"no link rel={relation} on {path}"
    return "/messages/" + unescape(match[1])


def test_strangers_are_led_to_the_sign_in(client: Client, db: None) -> None:
    assertRedirects(client.get("/messages/"), "/sign-in/?next=/messages/")


def test_messages_stand_newest_first(signed_in: Client, ada: User) -> None:
    for subject in ("first", "second", "third"):
        accepted(ada, "bob@example.org", subject=subject)
    assert subjects(signed_in, "/messages/") == ["third", "second", "first"]


def test_a_row_tells_state_recipients_and_time(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "a@example.org", "b@example.org", cc=["c@example.org"])
    answered(handed_over(message))
    page = signed_in.get("/messages/")
    assertContains(page, '<span class="badge tone-good">Sent</span>', html=True)
    text = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())
    assert "to a@example.org, b@example.org and 1 more" in text
    assertContains(page, "UTC")
    assertContains(page, "<time datetime=")


def test_a_message_without_a_subject_can_be_opened(signed_in: Client, ada: User) -> None:
    accepted(ada, "bob@example.org", subject="")
    assert subjects(signed_in, "/messages/") == ["(no subject)"]


def test_others_messages_are_never_listed(signed_in: Client, ada: User, eve: User) -> None:
    accepted(eve, "bob@example.org", subject="not for ada")
    for path in ("/messages/", "/messages/?q=bob@example.org", "/messages/?state=pending"):
        assertNotContains(signed_in.get(path), "not for ada")


def test_hostile_subjects_and_addresses_are_text(signed_in: Client, ada: User) -> None:
    accepted(ada, f'"{HOSTILE}"@example.org', subject=HOSTILE)
    page = signed_in.get("/messages/")
    assertNotContains(page, HOSTILE)
    assertContains(page, "&lt;script&gt;", count=2)


def test_the_empty_list_shows_the_first_command(signed_in: Client) -> None:
    page = signed_in.get("/messages/")
    assertContains(page, "curl http://127.0.0.1:8000/v1/mail")
    assertContains(page, "Authorization: Bearer YOUR_TOKEN")


def test_the_first_command_names_a_token_that_may_send(signed_in: Client, ada: User) -> None:
    good, _ = issue_token(owner=ada, name="shop")
    issue_token(owner=ada, name="reader", scopes=[Scope.READ])
    revoke(issue_token(owner=ada, name="old")[0])
    page = signed_in.get("/messages/")
    assertContains(page, f"Authorization: Bearer {good.prefix}…")
    assertContains(page, "your token “shop”")


def test_filtering_by_state(signed_in: Client, ada: User) -> None:
    answered(handed_over(accepted(ada, "bob@example.org", subject="gone")))
    accepted(ada, "bob@example.org", subject="waits")
    assert subjects(signed_in, "/messages/?state=sent") == ["gone"]
    assert subjects(signed_in, "/messages/?state=pending") == ["waits"]


def test_searching_by_words_and_addresses(signed_in: Client, ada: User) -> None:
    accepted(ada, "bob@example.org", subject="Invoice for November")
    accepted(ada, "carol@shop.test", subject="A reminder", cc=["Bob@example.org"])
    accepted(ada, "carol@shop.test", subject="An invoice for Carol")
    for text, found in {
        "bob@example.org": ["A reminder", "Invoice for November"],
        "BOB@EXAMPLE.ORG": ["A reminder", "Invoice for November"],
        "shop.test": ["An invoice for Carol", "A reminder"],
        "invoice": ["An invoice for Carol", "Invoice for November"],
        "invoice carol@shop.test": ["An invoice for Carol"],
        "invoic": [],
    }.items():
        assert subjects(signed_in, f"/messages/?{urlencode({'q': text})}") == found, text


def test_an_id_finds_its_message_and_no_others(signed_in: Client, ada: User, eve: User) -> None:
    mine, hers = accepted(ada, "bob@example.org", subject="mine"), accepted(eve, "b@example.org")
    assert subjects(signed_in, f"/messages/?q={mine.id}") == ["mine"]
    assert subjects(signed_in, f"/messages/?q={hers.id}") == []


def test_filtering_by_tag_and_period(signed_in: Client, ada: User) -> None:
    for hour in range(4):
        at = NOON + timedelta(hours=hour)
        tags = ["sale"] if hour % 2 else []
        fields = {"id": first_id(at), "accepted_at": at, "tags": tags, "subject": f"at {hour}"}
        EventFactory(message=make_message(owner=ada, **fields))
    for query, found in {
        "tag=sale": ["at 3", "at 1"],
        "tag=sal": [],
        "since=2026-11-25T13:00": ["at 3", "at 2", "at 1"],
        "until=2026-11-25T14:00": ["at 1", "at 0"],
        "since=2026-11-25T13:00&until=2026-11-25T15:00&state=pending": ["at 2", "at 1"],
        "since=2026-11-25T13:00&until=2026-11-25T15:00&tag=sale": ["at 1"],
    }.items():
        assert subjects(signed_in, f"/messages/?{query}") == found, query


def test_what_is_seldom_asked_for_is_folded_until_it_is(signed_in: Client, ada: User) -> None:
    accepted(ada, "bob@example.org")
    assertNotContains(signed_in.get("/messages/?state=pending"), "open>")
    for query in ("tag=sale", "since=soon"):
        assertContains(signed_in.get(f"/messages/?{query}"), "open>")


def test_words_and_state_together(signed_in: Client, ada: User) -> None:
    answered(handed_over(accepted(ada, "bob@example.org", subject="gone")))
    accepted(ada, "bob@example.org", subject="waits")
    assert subjects(signed_in, "/messages/?q=bob@example.org&state=sent") == ["gone"]


def test_a_search_that_finds_nothing_says_so(signed_in: Client, ada: User) -> None:
    accepted(ada, "bob@example.org")
    page = signed_in.get("/messages/?q=nobody@example.org")
    assertContains(page, "Nothing fits")
    assertNotContains(page, "curl")


@pytest.mark.parametrize(
    "query",
    [
        "q=%21%21",
        "q=a+b+c+d+e+f+g+h+i+j+k",
        "q=%00",
        "state=of+no+kind",
        f"tag={'t' * 999}",
        "since=soon",
        "until=1999-12-31T00:00",
    ],
)
def test_what_cannot_be_read_is_told_and_not_applied(
    signed_in: Client, ada: User, query: str
) -> None:
    accepted(ada, "bob@example.org", subject="still here")
    page = signed_in.get(f"/messages/?{query}")
    assertContains(page, 'role="alert"')
    assertContains(page, "still here")


@pytest.mark.parametrize("query", ["before=x", "after=1", "before=%00"])
def test_a_cursor_that_is_none_leads_to_the_first_page(
    signed_in: Client, ada: User, query: str
) -> None:
    accepted(ada, "bob@example.org", subject="still here")
    assert subjects(signed_in, f"/messages/?{query}") == ["still here"]


@pytest.mark.parametrize(
    "query", ["", "?state=pending", "?q=bob@example.org", "?q=bob@example.org&state=pending"]
)
def test_pages_lead_to_each_other_without_gaps(
    signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(5):
        accepted(ada, "bob@example.org", subject=str(number))
    first = f"/messages/{query}"
    second = link(signed_in, first, "next")
    third = link(signed_in, second, "next")
    pages = [["4", "3"], ["2", "1"], ["0"]]
    assert [subjects(signed_in, path) for path in (first, second, third)] == pages
    back = link(signed_in, third, "prev")
    assert subjects(signed_in, back) == pages[1]
    assert subjects(signed_in, link(signed_in, back, "prev")) == pages[0]


def test_the_ends_of_the_list_lead_nowhere(
    signed_in: Client, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(3):
        accepted(ada, "bob@example.org", subject=str(number))
    assertNotContains(signed_in.get("/messages/"), 'rel="prev"')
    assertNotContains(signed_in.get(link(signed_in, "/messages/", "next")), 'rel="next"')


@pytest.mark.parametrize("messages", [1, 12])
@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ("", 4),
        ("?state=pending&since=2026-11-25T13:00", 4),
        # a search writes down first what can be found since the last one
        ("?q=bob@example.org&state=pending&tag=sale", 10),
    ],
)
def test_the_list_takes_as_few_queries_however_long_it_is(
    signed_in: Client,
    ada: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    messages: int,
    query: str,
    queries: int,
) -> None:
    for _ in range(messages):
        accepted(ada, "bob@example.org", "carol@example.org")
    Message.objects.update(tags=["sale"])
    signed_in.get(f"/messages/{query}")
    # session, user, the ids of the page, its rows
    with django_assert_num_queries(queries):
        signed_in.get(f"/messages/{query}")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "message_owner_state"),
        ("?state=pending", "message_owner_state"),
        ("?q=bob@example.org", "notifications_messageterm_pkey"),
        ("?tag=sale&since=2026-11-25T13:00", "notifications_messageterm_pkey"),
    ],
)
def test_each_page_is_found_in_an_index_that_gives_its_order(
    signed_in: Client, ada: User, eve: User, query: str, index: str
) -> None:
    messages = [accepted(owner, "bob@example.org") for owner in (*[ada] * 12, *[eve] * 80)]
    # half of them wait: neither the owner nor the state alone finds the ones that are asked for
    Message.objects.filter(id__in=[m.id for m in messages[::2]]).update(state=State.SENT)
    Message.objects.update(tags=["sale"])
    with CaptureQueriesContext(connection) as captured:
        signed_in.get(f"/messages/{query}")
    # the last but one: the page's ids
    sql = captured.captured_queries[-2]["sql"]
    with connection.cursor() as cursor:
        # on a handful of rows reading the whole table, or sorting, would be cheaper
        cursor.execute("ANALYZE notifications_message, notifications_messageterm")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert f"using {index}" in plan
    assert "Seq Scan" not in plan
    # what was found in the lists by state is sorted, a page of each; not what stands in them
    assert "Sort" not in plan.split("Function Scan on unnest")[-1]


def test_a_message_with_a_dead_letter_is_found_by_its_state(signed_in: Client, ada: User) -> None:
    message = accepted(ada, "bob@example.org", subject="refused")
    answered(handed_over(message), Reading.MESSAGE_REFUSED, code=554, answer="no")
    cancelled = accepted(ada, "bob@example.org", subject="stopped")
    moved(deliveries_of(cancelled)[0], State.CANCELLED, by="ada")
    assert subjects(signed_in, "/messages/?state=failed") == ["refused"]
    assert subjects(signed_in, "/messages/?state=cancelled") == ["stopped"]
