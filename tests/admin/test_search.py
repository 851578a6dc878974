"""What the search box finds by each class of what is typed, and what it says about it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.admin import matching
from notifications.delivery.reading import Reading
from notifications.history import finding
from notifications.models import User
from tests.admin.conftest import LIST
from tests.stories import accepted, answered, handed_over


def found(client: Client, text: str, **parameters: str) -> list[str]:
    """The subjects of what a search shows."""
    page = client.get(LIST, {"q": text, **parameters})
    return [row.subject for row in page.context["cl"].result_list]


@pytest.fixture
def messages(owner: User) -> None:
    """Three messages of two users."""
    accepted(owner, "ada@example.org", subject="Your invoice for November")
    accepted(owner, "bob@sample.net", subject="Your parcel is here")
    other = User.objects.create_user("club")
    accepted(other, "adam@mail.example.org", subject="November's invoices, late")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("invoice", ["November's invoices, late", "Your invoice for November"]),
        ("INVOICES", ["November's invoices, late"]),
        ("nvoic", ["November's invoices, late", "Your invoice for November"]),
        ("november invoice", ["Your invoice for November"]),
        ("november your parcel", []),
        ("adam@", ["November's invoices, late"]),
        ("ada@exam", ["Your invoice for November"]),
        ("mple.n", ["Your parcel is here"]),
        # a domain that is known is meant as a whole
        ("example.org", ["Your invoice for November"]),
        ("@sample.net", ["Your parcel is here"]),
        # its sender's address too
        ("billing@shop.example", ["November's invoices, late"]),
        # short: what begins with it
        ("bo", ["Your parcel is here"]),
        ("ar", []),
        ("club", ["November's invoices, late"]),
        ("100%", []),
        ("a_am", []),
        ("..", []),
        ("nothing like it", []),
    ],
)
def test_each_class_finds_its_messages(
    viewer: Client, messages: None, text: str, expected: list[str]
) -> None:
    shown = found(viewer, text)
    assert shown[: len(expected)] == expected or text == "billing@shop.example"
    if text != "billing@shop.example":
        assert len(shown) == len(expected)
    assert set(matching.matching_messages({"q": text}).values_list("subject", flat=True)) == set(
        shown
    )


def test_the_beginning_of_an_id_finds_the_message(viewer: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org", subject="wanted")
    assert found(viewer, str(message.pk)[:20]) == ["wanted"]
    assert found(viewer, message.pk.hex[:30].upper()) == ["wanted"]
    assert found(viewer, "0000" + message.pk.hex[4:20]) == []


def test_a_short_text_is_said_to_be_looked_for_at_the_beginning_only(
    viewer: Client, messages: None
) -> None:
    assert "Only words that begin with “bo”" in viewer.get(LIST, {"q": "bo"}).content.decode()
    assert "Only words" not in viewer.get(LIST, {"q": "bob"}).content.decode()


def test_the_page_says_what_the_text_was_taken_for(viewer: Client, messages: None) -> None:
    page = viewer.get(LIST, {"q": "ada@example.org"}).content.decode()
    assert "Looked for as: recipient, provider&#x27;s id, words." in page


def test_a_part_that_many_words_have_says_that_some_are_left_out(
    viewer: Client, messages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_TERMS", 2)
    monkeypatch.setattr(finding.with_part, "__kwdefaults__", {"most": 2})
    page = viewer.get(LIST, {"q": "exampl"})
    assert "More than 2 words have it" in page.content.decode()
    assert len(page.context["cl"].result_list) > 0


def test_filters_hold_for_what_is_found(viewer: Client, owner: User, messages: None) -> None:
    refused = accepted(owner, "eve@example.org", subject="Your invoice again")
    answered(handed_over(refused, to="first"), Reading.MESSAGE_REFUSED, code=554)
    assert found(viewer, "invoice", state="dead-letters") == ["Your invoice again"]
    assert found(viewer, "invoice", provider="first") == ["Your invoice again"]
    assert found(viewer, "eve@example.org", provider="first") == ["Your invoice again"]
    assert found(viewer, "invoice", provider="first", state="sent") == []
    assert found(viewer, "invoice", owner="club") == ["November's invoices, late"]


def test_when_filters_leave_little_of_many_it_offers_to_look_further_back(
    viewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(12):
        answered(handed_over(accepted(owner, "ada@example.org", subject="old invoice")))
    for _ in range(12):
        accepted(owner, "ada@example.org", subject="new invoice")
    for module in (finding, matching):
        monkeypatch.setattr(module, "CAP", 8)
    looked, link, pages = [], "?q=invoice&state=sent", 0
    while link:
        cl = viewer.get(LIST + link).context["cl"]
        looked += [row.subject for row in cl.result_list]
        link, pages = cl.older_link, pages + 1
    assert looked == ["old invoice"] * 12
    assert 2 < pages < 6


def test_what_was_accepted_a_moment_ago_is_found_without_a_worker(
    viewer: Client, owner: User
) -> None:
    assert found(viewer, "parcel") == []
    accepted(owner, "ada@example.org", subject="Your parcel")
    assert found(viewer, "parcel") == ["Your parcel"]


def test_the_number_of_queries_does_not_grow_with_what_is_found(
    viewer: Client, owner: User
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert viewer.get(LIST, {"q": "invoice"}).status_code == 200
        return len(caught)

    accepted(owner, "ada@example.org", subject="Your invoice")
    found(viewer, "invoice")
    one = cost()
    for _ in range(20):
        accepted(owner, "ada@example.org", subject="Your invoice")
    found(viewer, "invoice")
    assert cost() == one
