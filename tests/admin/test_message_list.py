"""The list of messages: what it shows, filters and finds, and what that costs."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.admin import matching, paging
from notifications.admin.message import MessageAdmin
from notifications.admin.paging import KeysetChangeList
from notifications.delivery.reading import Reading
from notifications.models import Handoff, Message, User
from notifications.models.ids import first_id
from tests.admin.conftest import LIST
from tests.stories import accepted, answered, handed_over


def listed(client: Client, **parameters: str) -> list[str]:
    """The subjects that the list shows."""
    return [row.subject for row in client.get(LIST, parameters).context["cl"].result_list]


def queries(client: Client, **parameters: str) -> int:
    """How many queries a list costs."""
    with CaptureQueriesContext(connection) as caught:
        assert client.get(LIST, parameters).status_code == 200
    return len(caught)


def test_a_row_says_who_what_and_how_it_stands(viewer: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org", "bob@example.org", subject="Your invoice")
    answered(handed_over(message))
    page = viewer.get(LIST).content.decode()
    assert "Your invoice" in page
    assert '<span class="lb-badge lb-good">sent</span>' in page
    assert "ada@example.org" in page
    assert "+ 1" in page


def test_a_message_that_is_due_is_next_now(viewer: Client, owner: User) -> None:
    accepted(owner, "ada@example.org")
    assert '<span class="lb-time">now</span>' in viewer.get(LIST).content.decode()


def test_a_hostile_subject_and_recipient_are_escaped(viewer: Client, owner: User) -> None:
    evil = "<script>alert(1)</script>"
    accepted(owner, f'"{evil}"@example.org', subject=evil)
    page = viewer.get(LIST).content.decode()
    assert evil not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_newest_message_comes_first(viewer: Client, owner: User) -> None:
    for subject in ("first", "second", "third"):
        accepted(owner, "ada@example.org", subject=subject)
    assert listed(viewer) == ["third", "second", "first"]


def test_the_number_of_queries_does_not_grow_with_the_messages(viewer: Client, owner: User) -> None:
    accepted(owner, "ada@example.org")
    one = queries(viewer)
    for _ in range(10):
        accepted(owner, "ada@example.org", "bob@example.org", "carol@example.org")
    assert queries(viewer) == one
    # session, user, two of permissions; users, providers and tags of the filters; ids, count, page
    assert one == 10


def test_the_list_never_counts_the_whole_table(
    viewer: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (paging, matching):
        monkeypatch.setattr(module, "CAP", 3)
    for _ in range(5):
        accepted(owner, "ada@example.org")
    with CaptureQueriesContext(connection) as caught:
        page = viewer.get(LIST)
    counting = [query["sql"] for query in caught if "COUNT(*)" in query["sql"][:60]]
    assert len(counting) == 1
    assert "LIMIT 4" in counting[0]
    assert page.context["cl"].result_count == 3
    assert "3+ in all" in " ".join(page.content.decode().split())


@pytest.fixture
def three_pages(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five messages, of which a page has two."""
    monkeypatch.setattr(MessageAdmin, "list_per_page", 2)
    for number in range(1, 6):
        accepted(owner, "ada@example.org", subject=f"{number} of five")


@pytest.mark.parametrize("query", [{}, {"q": "five"}, {"q": "ada@example.org"}, {"q": "shop"}])
def test_paging_goes_back_and_forth_through_everything_once(
    viewer: Client, three_pages: None, query: dict[str, str]
) -> None:
    def numbers(link: str) -> tuple[str, KeysetChangeList]:
        cl = viewer.get(LIST + link).context["cl"]
        return "".join(row.subject[0] for row in cl.result_list), cl

    link = f"?{urlencode(query)}"
    first, cl = numbers(link)
    second, cl = numbers(cl.older_link)
    last, last_cl = numbers(cl.older_link)
    assert [first, second, last] == ["54", "32", "1"]
    assert last_cl.older_link == ""
    assert numbers(last_cl.newer_link)[0] == "32"
    back, cl = numbers(cl.newer_link)
    assert (back, cl.newer_link) == ("54", "")


def test_a_page_keeps_its_place_while_new_messages_come(
    viewer: Client, owner: User, three_pages: None
) -> None:
    older = viewer.get(LIST).context["cl"].older_link
    for _ in range(3):
        accepted(owner, "bob@example.org", subject="new")
    page = viewer.get(LIST + older).context["cl"]
    assert [row.subject[0] for row in page.result_list] == ["3", "2"]


def test_going_newer_than_the_newest_shows_a_whole_first_page(
    viewer: Client, three_pages: None
) -> None:
    second = viewer.get(LIST).context["cl"].result_list[1]
    shown = viewer.get(LIST, {"after": str(second.pk)}).context["cl"].result_list
    assert [row.subject[0] for row in shown] == ["5", "4"]


def test_another_filter_begins_with_its_newest_page(viewer: Client, three_pages: None) -> None:
    older = viewer.get(LIST).context["cl"].older_link
    page = viewer.get(LIST + older).context["cl"]
    (states, *_) = page.filter_specs
    assert not any("before" in choice["query_string"] for choice in states.choices(page))


def test_a_page_that_is_none_leads_back_to_the_list(viewer: Client, db: None) -> None:
    assert viewer.get(LIST, {"before": "<script>"}).status_code == 302


def test_counts_beside_the_filters_are_not_offered(viewer: Client, owner: User) -> None:
    accepted(owner, "ada@example.org")
    assert "Show counts" not in viewer.get(LIST).content.decode()
    assert queries(viewer, _facets="True") == queries(viewer)


def test_the_saved_filters_are_a_click_away_and_say_which_is_on(
    viewer: Client, owner: User
) -> None:
    late = accepted(owner, "ada@example.org", subject="late")
    past = timezone.now() - timedelta(minutes=9)
    Message.objects.filter(pk=late.pk).update(due_at=past)
    accepted(owner, "ada@example.org", subject="new")
    presets = {preset.title: preset for preset in viewer.get(LIST).context["cl"].presets}
    assert [title for title, preset in presets.items() if preset.is_current] == ["All"]
    page = viewer.get(LIST + presets["Stuck"].link)
    assert [row.subject for row in page.context["cl"].result_list] == ["late"]
    assert page.content.decode().count('aria-current="page"') == 1


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"state": "dead-letters"}, ["refused"]),
        ({"state": "uncertain"}, ["uncertain"]),
        ({"state": "sent"}, ["sent"]),
        ({"provider": "second"}, ["uncertain"]),
        ({"accepted": "hour"}, ["waiting", "uncertain", "sent", "refused"]),
        ({"owner": "shop"}, ["uncertain", "sent", "refused"]),
        ({"owner": "nobody"}, []),
        ({"state": "sent", "provider": "first"}, ["sent"]),
        ({"error": "message_refused"}, ["refused"]),
        ({"error": "message_refused", "provider": "second"}, []),
        ({"tag": "billing"}, ["uncertain"]),
        ({"tag": "billing", "owner": "club"}, []),
    ],
)
def test_each_filter_shows_what_it_says(
    viewer: Client, owner: User, parameters: dict[str, str], expected: list[str]
) -> None:
    refused = accepted(owner, "ada@example.org", subject="refused")
    answered(handed_over(refused, to="first"), Reading.MESSAGE_REFUSED, code=554)
    answered(handed_over(accepted(owner, "b@example.org", subject="sent"), to="first"))
    doubtful = accepted(owner, "c@example.org", subject="uncertain")
    answered(handed_over(doubtful, to="second"), Reading.AMBIGUOUS, code=None)
    Message.objects.filter(pk=doubtful.pk).update(tags=["billing"])
    accepted(User.objects.create_user("club"), "d@example.org", subject="waiting")
    assert listed(viewer, **parameters) == expected


def test_the_date_filter_goes_by_the_time_that_an_id_begins_with(owner: User) -> None:
    message = accepted(owner, "ada@example.org")
    now = timezone.now()
    assert first_id(now - timedelta(minutes=1)) < message.id < first_id(now + timedelta(minutes=1))


def test_search_finds_a_message_by_its_recipient(viewer: Client, owner: User) -> None:
    accepted(owner, "ada@example.org", subject="hers")
    accepted(owner, "bob@example.org", cc=["carol@example.org"], subject="theirs")
    assert listed(viewer, q="ada@example.org") == ["hers"]
    assert listed(viewer, q=" ada@EXAMPLE.org ") == ["hers"]
    assert listed(viewer, q="Carol <carol@example.org>") == ["theirs"]
    assert listed(viewer, q="nobody@example.org") == []


def test_search_finds_a_message_by_its_id_and_its_header(viewer: Client, owner: User) -> None:
    message = accepted(owner, "ada@example.org", subject="wanted")
    accepted(owner, "ada@example.org", subject="other")
    assert listed(viewer, q=str(message.id)) == ["wanted"]
    assert listed(viewer, q=message.header_message_id) == ["wanted"]


@pytest.mark.parametrize(
    "provider_id", ["b7bc2f4a-e38e-4336-af7d-e6c392c2f817", "<20261124.1@mg.example>", "0100-000"]
)
def test_search_finds_a_message_by_its_providers_id(
    viewer: Client, owner: User, provider_id: str
) -> None:
    message = accepted(owner, "ada@example.org", subject="wanted")
    accepted(owner, "ada@example.org", subject="other")
    planned = handed_over(message)
    Handoff.objects.filter(id=planned.handoff_id).update(provider_message_id=provider_id)
    assert listed(viewer, q=provider_id) == ["wanted"]
    assert listed(viewer, q=provider_id.strip("<>")) == ["wanted"]


def test_an_empty_result_says_what_was_looked_for(viewer: Client, db: None) -> None:
    page = viewer.get(LIST, {"q": "<b>nobody</b>"}).content.decode()
    assert "Nothing here" in page
    assert "<b>nobody</b>" not in page
