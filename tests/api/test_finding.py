"""GET /v1/mail by sender, tag, metadata, provider and words."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from notifications.api.filters import MessageFilter
from notifications.delivery.reading import Reading
from notifications.history.search import NAME, having, tag_term, write_terms
from notifications.models import Follower, Message, MessageTerm, State
from tests import stories
from tests.api.conftest import SUBMISSION, Api, api_of
from tests.api.problems import problem_of
from tests.factories import UserFactory

# the follower and the sequencer run in transactions of their own
pytestmark = pytest.mark.django_db(transaction=True)


def submit(api: Api, **fields: Any) -> str:
    """A stored message's id."""
    answer = api.post({**SUBMISSION, **fields})
    assert answer.status_code == 200, answer.content
    return str(json.loads(answer.content)["id"])


def found(api: Api, **query: str) -> list[str]:
    """The ids that a list answers with, page by page."""
    page = json.loads(api.get("/v1/mail", **query).content)
    ids = [message["id"] for message in page["results"]]
    while page["next"]:
        page = json.loads(api.get(page["next"]).content)
        ids += [message["id"] for message in page["results"]]
    return ids


def test_a_list_by_sender(api: Api) -> None:
    first = submit(api, **{"from": "Shop <shop@example.com>"})
    submit(api, **{"from": "shop@example.net"})
    assert found(api, **{"from": "shop@example.com"}) == [first]
    assert found(api, **{"from": "Shop@EXAMPLE.com"}) == [first]
    assert found(api, **{"from": "nobody@example.com"}) == []


def test_a_list_by_tag(api: Api) -> None:
    first = submit(api, tags=["order", "vip"])
    second = submit(api, tags=["order"])
    submit(api)
    assert found(api, tag="order") == [second, first]
    assert found(api, tag="vip") == [first]
    assert found(api, tag="orde") == found(api, tag="Order") == []


def test_a_list_by_metadata(api: Api) -> None:
    first = submit(api, metadata={"order": "7", "shop": "a=b"})
    second = submit(api, metadata={"order": "8"})
    assert found(api, metadata="order") == [second, first]
    assert found(api, metadata="order=7") == [first]
    assert found(api, metadata="shop=a=b") == [first]
    assert found(api, metadata="order=") == []


def test_a_list_by_a_long_value_compares_all_of_it(api: Api) -> None:
    first = submit(api, metadata={"note": "a" * 499 + "b"})
    submit(api, metadata={"note": "a" * 500})
    assert found(api, metadata="note=" + "a" * 499 + "b") == [first]


@pytest.mark.parametrize(
    "q", ["order", "ORDER 4711", "Größe", "ada@example.org", "Ada@Example.org", "example.org 4711"]
)
def test_a_search_finds_words_addresses_and_domains(api: Api, q: str) -> None:
    first = submit(api, subject="Order #4711: Größe XL", to=["Ada <ada@example.org>"])
    submit(api, subject="Welcome", to=["bob@example.net"])
    assert found(api, q=q) == [first]
    assert len(found(api, q="app@example.com")) == 2


@pytest.mark.parametrize("q", ["orde", "order bob", "example.co", "ada"])
def test_a_search_wants_whole_words_and_all_of_them(api: Api, q: str) -> None:
    submit(api, subject="Order 4711", to=["ada@example.org"])
    assert found(api, q=q) == []


def test_a_list_by_provider(api: Api) -> None:
    message = stories.accepted(api.owner, "ada@example.org")
    submit(api)
    stories.handed_over(message, to="relay")
    assert found(api, provider="relay") == [str(message.id)]
    assert found(api, provider="other") == []


def test_all_that_is_asked_for_must_hold(api: Api) -> None:
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    first = submit(api, tags=["order"], metadata={"shop": "a"}, send_at=later)
    submit(api, tags=["order"], metadata={"shop": "b"})
    submit(api, tags=["news"], metadata={"shop": "a"})
    assert found(api, tag="order", metadata="shop=a") == [first]
    assert found(api, tag="order", state="scheduled", q="hello") == [first]
    assert found(api, tag="order", recipient="ada@example.org", state="scheduled") == [first]
    assert found(api, tag="order", state="sent") == []


def test_times_hold_too(api: Api) -> None:
    first, second = submit(api, tags=["a"]), submit(api, tags=["a"])
    middle = Message.objects.get(id=second).accepted_at.isoformat()
    assert found(api, tag="a", created_before=middle) == [first]
    assert found(api, tag="a", created_after=middle) == [second]
    old = (timezone.now() - timedelta(days=1)).isoformat()
    assert found(api, tag="a", created_before=old) == found(api, created_before=old) == []
    assert found(api, tag="a", created_after=old) == found(api, created_after=old)
    for extreme in (
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+22:23",
        "9999-12-31T23:59:59-22:23",
        "4261-07-15T22:39:56-17:13",
    ):
        assert len(found(api, created_before=extreme) + found(api, created_after=extreme)) == 2


def test_pages_show_every_message_once_while_others_come(api: Api) -> None:
    ids = [submit(api, tags=["a"]) for _ in range(5)]
    page = json.loads(api.get("/v1/mail", tag="a", limit="2").content)
    seen = [message["id"] for message in page["results"]]
    while page["next"]:
        submit(api, tags=["a"])
        page = json.loads(api.get(page["next"]).content)
        seen += [message["id"] for message in page["results"]]
    assert seen == ids[::-1]


def test_another_users_messages_are_not_found(api: Api) -> None:
    submit(api, tags=["order"])
    other = api_of(UserFactory())
    for query in ({"tag": "order"}, {"q": "hello"}, {"from": "app@example.com"}):
        assert found(other, **query) == []


@pytest.mark.parametrize(
    "query",
    [
        {"tag": ""},
        {"tag": "a" * 65},
        {"metadata": ""},
        {"provider": "\0"},
        {"q": ""},
        {"q": "a" * 401},
        {"tag": "a", "state": "flying"},
        {"tag": "a", "cursor": "x"},
        {"tags": "a"},
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_name(api: Api, query: dict[str, str]) -> None:
    problem = problem_of(api.get("/v1/mail", **query), 400, "invalid-request")
    assert problem["errors"][0]["parameter"] in query


@pytest.mark.parametrize(
    "query",
    [
        {"from": "nobody"},
        {"recipient": "nobody"},
        {"q": "  # "},
        {"q": "a b c d e f g h i j k"},
    ],
)
def test_what_means_nothing_is_refused_by_name(api: Api, query: dict[str, str]) -> None:
    problem = problem_of(api.get("/v1/mail", **query), 422, "impossible-request")
    assert problem["errors"][0]["parameter"] in query


def test_terms_are_written_once(api: Api) -> None:
    submit(api, tags=["a"])
    found(api, tag="a")
    count = MessageTerm.objects.count()
    assert write_terms() == 0
    stories.moved(Message.objects.get().deliveries.get(), State.CANCELLED)
    found(api, tag="a")
    assert MessageTerm.objects.count() == count


def test_a_term_that_comes_again_is_written_once(api: Api) -> None:
    message = Message.objects.get(id=submit(api))
    for _ in range(2):
        stories.answered(stories.handed_over(message, to="ours"), Reading.TEMPORARY)
        assert found(api, provider="ours") == [str(message.id)]
    assert MessageTerm.objects.filter(term="error:temporary").count() == 1


def test_a_follower_that_reads_everything_anew_writes_only_what_is_not_there(api: Api) -> None:
    messages = [Message.objects.get(id=submit(api, tags=["a"])) for _ in range(2)]
    assert found(api, tag="a")
    written = set(MessageTerm.objects.values_list("owner", "term", "message"))
    # one has lost a term, as if it were of a kind that is new; the other all
    MessageTerm.objects.filter(message=messages[0], term="tag:a").delete()
    MessageTerm.objects.filter(message=messages[1]).delete()
    Follower.objects.filter(name=NAME).update(position=0)
    assert write_terms() > 0
    assert set(MessageTerm.objects.values_list("owner", "term", "message")) == written


def test_a_list_from_long_ago_begins_there(api: Api) -> None:
    submit(api)
    asked = MessageFilter(None, None, None, before=datetime(2026, 1, 1, tzinfo=UTC))
    page = asked.narrow(api.owner).order_by("-id")[:51]
    with connection.cursor() as cursor:
        sql, parameters = page.query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    # the lists by state are read under this
    lists = plan.split("Function Scan on unnest")[-1]
    conditions = [line for line in lists.splitlines() if "Index Cond" in line]
    assert conditions
    assert all("id <" in condition for condition in conditions)
    assert "Seq Scan" not in plan


def test_a_page_is_a_stretch_of_one_index(api: Api) -> None:
    query = having(api.owner, [tag_term("a"), tag_term("b")]).select_related("message")
    page = query.order_by(F("message_id").desc())[:51]
    with connection.cursor() as cursor:
        sql, parameters = page.query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Sort" not in plan
    assert "Seq Scan" not in plan
    assert plan.count("notifications_messageterm_pkey") == 2
